#define _GNU_SOURCE
#include "isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

int assay_fork(void) { return fork(); }

int assay_wait(int child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

int assay_write(int file, const void *bytes, size_t count) {
  const char *next = bytes;
  while (count > 0) {
    ssize_t written = write(file, next, count);
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) {
      next += written;
      count -= (size_t)written;
    }
  }
  return 0;
}

int assay_wait_for(int file, int other) {
  // Of `other` only the end is asked for: what it has to read can wait.
  struct pollfd files[] = {{file, POLLIN, 0}, {other, 0, 0}};
  while (1) {
    if (poll(files, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return 1;
    }
    if (files[0].revents) return 1;
    if (files[1].revents & (POLLHUP | POLLERR)) return 0;
  }
}

int assay_wait_at_most(int file, int milliseconds) {
  struct pollfd one = {file, POLLIN, 0};
  int ready = poll(&one, 1, milliseconds);
  // An interruption is no end: whoever asks looks at the clock and asks again.
  return ready > 0;
}

_Noreturn void assay_leave(int code) { _exit(code); }

// Leaves `kept` as file 3 and nothing behind the three standard ones.
static int take_files(int kept) {
  int nothing = open("/dev/null", O_RDONLY);
  int nowhere = open("/dev/null", O_WRONLY);
  if (nothing < 0 || nowhere < 0) return errno;
  if (dup2(nothing, 0) < 0 || dup2(nowhere, 1) < 0 || dup2(nowhere, 2) < 0) return errno;
  if (dup2(kept, 3) < 0) return errno;
#if defined(__linux__) && defined(SYS_close_range)
  if (syscall(SYS_close_range, 4U, ~0U, 0U) == 0) return 0;
#endif
  long limit = sysconf(_SC_OPEN_MAX);
  for (int file = 4; file < (limit > 0 && limit < 65536 ? limit : 65536); file++) close(file);
  return 0;
}

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#if defined(__x86_64__)
#define ASSAY_ARCH AUDIT_ARCH_X86_64
#else
#define ASSAY_ARCH AUDIT_ARCH_AARCH64
#endif

#define RULE(name, action)                                \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), \
      BPF_STMT(BPF_RET | BPF_K, action)
#define ALLOW(name) RULE(name, SECCOMP_RET_ALLOW)
#define END_AT(name) RULE(name, SECCOMP_RET_KILL_PROCESS)

// What computing in memory asks of the system. No file can be opened, so `read` and `write` reach what is open.
static const struct sock_filter rules[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ASSAY_ARCH, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    ALLOW(read),
    ALLOW(write),
    ALLOW(close),
    ALLOW(brk),
    ALLOW(mmap),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(mprotect),
    ALLOW(madvise),
    ALLOW(futex),
    ALLOW(sched_yield),
    ALLOW(rt_sigaction),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(clock_gettime),
    ALLOW(getrusage),
    ALLOW(exit),
    ALLOW(exit_group),
    // Whoever waits for a thread that never starts would wait for ever.
    END_AT(clone),
#if defined(__NR_clone3)
    END_AT(clone3),
#endif
#if defined(__NR_fork)
    END_AT(fork),
    END_AT(vfork),
#endif
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EACCES & SECCOMP_RET_DATA)),
};

int assay_seal(int kept, int seconds) {
  int fault = take_files(kept);
  if (fault) return fault;
  struct rlimit limit = {(rlim_t)seconds, (rlim_t)seconds};
  if (setrlimit(RLIMIT_CPU, &limit) < 0) return errno;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return errno;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return errno;
  struct sock_fprog program = {sizeof rules / sizeof rules[0], (struct sock_filter *)rules};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? errno : 0;
}

#else

int assay_seal(int kept, int seconds) {
  (void)seconds;
  int fault = take_files(kept);
  return fault ? fault : ENOSYS;
}

#endif

int assay_can_seal(void) {
  int child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(assay_seal(2, 1));
  return assay_wait(child);
}

void assay_keep_freed(void) {
#if defined(__GLIBC__)
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
#endif
}
