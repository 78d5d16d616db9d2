#define _GNU_SOURCE
#include "isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
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

// A program, and where what it prints goes.
struct program {
  char *const *words;
  struct assay_limits limits;
  int log, logs_output;
};

// Becomes the program: with the three standard files, in a process group of its own.
static void become(const struct program *program) {
  setpgid(0, 0);
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  limit(RLIMIT_DATA, program->limits.memory);
  limit(RLIMIT_FSIZE, program->limits.file);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  if (dup2(program->log, 2) < 0) _exit(126);
  if (program->logs_output && dup2(program->log, 1) < 0) _exit(126);
#if defined(__linux__) && defined(SYS_close_range)
  if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0) goto start;
#endif
  for (int file = 3; file < 1024; file++) close(file);
start:
  execvp(program->words[0], program->words);
  _exit(127);
}

#if defined(__linux__)
static int write_text(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t written = write(file, text, strlen(text));
  close(file);
  return written < 0 ? -1 : 0;
}

// Numbers the processes that this one starts from now on apart; 0 if that can be done.
static int number_apart(void) {
  if (unshare(CLONE_NEWPID) == 0) return 0;
  char map[64];
  unsigned user = getuid(), group = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0) return -1;
  write_text("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1", user, user);
  if (write_text("/proc/self/uid_map", map) < 0) return -1;
  snprintf(map, sizeof map, "%u %u 1", group, group);
  return write_text("/proc/self/gid_map", map);
}

// The first of the processes that are numbered apart: starts the program, takes in whoever loses its parent, and tells how the
// program ended. With it all others end, and it ends with its own parent.
static void be_first(const struct program *program, int told) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  pid_t child = fork();
  if (child < 0) _exit(1);
  if (child == 0) become(program);
  int status = 0;
  pid_t ended;
  while ((ended = wait(&status)) != child) {
    if (ended < 0 && errno != EINTR) _exit(1);
  }
  assay_write(told, &status, sizeof status);
  _exit(0);
}
#endif

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

// Ends everything that is left, as long as there is something.
static void sweep(pid_t child, int still_runs) {
  const double beginning = now();
  if (still_runs) kill(child, SIGKILL);
  while (now() - beginning < 10) {
    kill(-child, SIGKILL);
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

static void listen_to_signals(void) {
  struct sigaction action = {0};
  action.sa_handler = end;
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  unblock_signals();
}

// Starts the program, or the first process of those that are numbered apart, which then writes to `told`.
static pid_t start(const struct program *program, int told, int *is_apart) {
#if defined(__linux__)
  *is_apart = number_apart() == 0;
  // Whoever loses its parent comes to this process, and can be ended.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
#endif
  pid_t child = fork();
  if (child != 0) return child;
#if defined(__linux__)
  if (*is_apart) be_first(program, told);
#endif
  become(program);
  return -1;
}

static int code_of(int status) {
  return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

struct assay_outcome assay_supervise(char *const *words, struct assay_limits limits, int log,
                                     int logs_output) {
  struct assay_outcome outcome = {-1, 0, 0, 0};
  const pid_t parent = getppid();
  const struct program program = {words, limits, log, logs_output};
  int told[2], is_apart = 0, status = 0;
  listen_to_signals();
  if (pipe(told) < 0) return outcome;
  const double beginning = now();
  pid_t child = start(&program, told[1], &is_apart);
  close(told[1]);
  if (child < 0) return outcome;
  if (!is_apart) setpgid(child, child);
  outcome.stopped = wait_for(child, parent, limits.seconds, &status);
  outcome.seconds = now() - beginning;
  sweep(child, outcome.stopped != 0);
  if (is_apart && !outcome.stopped && read(told[0], &status, sizeof status) != sizeof status) {
    status = SIGKILL;
  }
  outcome.code = outcome.stopped ? 256 + SIGKILL : code_of(status);
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
#if defined(__linux__)
  outcome.memory = (unsigned long long)usage.ru_maxrss * 1024;
#else
  outcome.memory = (unsigned long long)usage.ru_maxrss;
#endif
  return outcome;
}
