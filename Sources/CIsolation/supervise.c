#define _GNU_SOURCE
#include "isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

static volatile sig_atomic_t told_to_end = 0;

static void end(int signal) {
  (void)signal;
  told_to_end = 1;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void pause_for(long milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static void limit(int resource, unsigned long long value) {
  if (value == 0) return;
  struct rlimit bound = {(rlim_t)value, (rlim_t)value};
  setrlimit(resource, &bound);
}

// Lets signals through: whoever started this process may have done so from a thread that blocks them.
static void unblock_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

// Becomes the program: with the three standard files, in a process group of its own.
static void become(char *const *words, struct assay_limits limits) {
  setpgid(0, 0);
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  limit(RLIMIT_DATA, limits.memory);
  limit(RLIMIT_FSIZE, limits.file);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
#if defined(__linux__) && defined(SYS_close_range)
  syscall(SYS_close_range, 3U, ~0U, 0U);
#endif
  execvp(words[0], words);
  _exit(127);
}

#if defined(__linux__)
// Ends the children that this process has now. What they leave behind becomes its children in turn.
static void end_children(void) {
  char list[65536];
  int file = open("/proc/thread-self/children", O_RDONLY);
  if (file < 0) return;
  ssize_t length = read(file, list, sizeof list - 1);
  close(file);
  if (length <= 0) return;
  list[length] = 0;
  for (char *word = strtok(list, " \n"); word; word = strtok(NULL, " \n")) {
    int child = atoi(word);
    if (child > 1) kill(child, SIGKILL);
  }
}
#else
static void end_children(void) {}
#endif

// Ends everything that the program left, as long as there is something.
static void sweep(pid_t program) {
  const double start = now();
  while (now() - start < 10) {
    kill(-program, SIGKILL);
    end_children();
    pid_t ended;
    while ((ended = waitpid(-1, NULL, WNOHANG)) > 0) {
    }
    if (ended < 0 && errno == ECHILD) return;
    pause_for(1);
  }
}

// Waits for the program: 0 if it ended, 1 if its time was over, 2 if this process is to end.
static int wait_for(pid_t program, pid_t parent, double seconds, int *status) {
  const double start = now();
  long pause = 1;
  while (1) {
    pid_t ended = waitpid(program, status, WNOHANG);
    if (ended == program || (ended < 0 && errno != EINTR)) return 0;
    if (told_to_end || getppid() != parent) return 2;
    if (seconds > 0 && now() - start > seconds) return 1;
    pause_for(pause);
    if (pause < 20) pause++;
  }
}

struct assay_outcome assay_supervise(char *const *words, struct assay_limits limits) {
  struct assay_outcome outcome = {-1, 0, 0, 0};
  const pid_t parent = getppid();
  struct sigaction action = {0};
  action.sa_handler = end;
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  unblock_signals();
#if defined(__linux__)
  // Whoever loses its parent comes to this process, and can be ended.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
#endif
  const double start = now();
  pid_t program = fork();
  if (program < 0) return outcome;
  if (program == 0) become(words, limits);
  setpgid(program, program);
  int status = 0;
  outcome.stopped = wait_for(program, parent, limits.seconds, &status);
  outcome.seconds = now() - start;
  outcome.code = outcome.stopped            ? 256 + SIGKILL
                 : WIFSIGNALED(status) ? 256 + WTERMSIG(status)
                                       : WEXITSTATUS(status);
  sweep(program);
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
#if defined(__linux__)
  outcome.memory = (unsigned long long)usage.ru_maxrss * 1024;
#else
  outcome.memory = (unsigned long long)usage.ru_maxrss;
#endif
  return outcome;
}
