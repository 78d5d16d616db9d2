#ifndef ASSAY_ISOLATION_H
#define ASSAY_ISOLATION_H

#include <stddef.h>

/// Forks the process; call it from a process with one thread.
///
/// Returns 0 in the child, the child's id in the parent, and -1 if it failed.
int assay_fork(void);

/// Takes from this process every file but `kept`, which becomes file 3, and then the right to open files, sockets and
/// processes, to signal anybody and to know its own number.
///
/// After it only memory, the clock, what is written to file 3, and ending are left. A process or thread that is
/// started ends this one; whatever else is asked of the system fails with EACCES. It ends with its parent, and after
/// `seconds` of processor time. Returns 0, or the errno of what failed; ENOSYS where the system offers nothing of the
/// kind: then only the files are taken.
int assay_seal(int kept, int seconds);

/// Whether this system seals: 0, or the errno that `assay_seal` had in a child of its own.
int assay_can_seal(void);

/// Writes all bytes to an open file. Returns 0, or the errno of what failed.
int assay_write(int file, const void *bytes, size_t count);

/// Waits until a file has something to read or ended. Returns 1 then, and 0 if `other` lost its writer before.
int assay_wait_for(int file, int other);

/// Waits for a child: its exit code, or 256 plus the signal that ended it, or -1.
int assay_wait(int child);

/// Keeps what is freed for what is asked for next: up to 512 MiB, in blocks under 32 MiB.
///
/// Else the C library gives it back, and the system clears it again, each time. Does nothing with another C library
/// than GNU's.
void assay_keep_freed(void);

/// Waits until a file has something to read or ended: 1 then, 0 if that takes longer.
int assay_wait_at_most(int file, int milliseconds);

/// What a program may use; 0 for as much as there is.
struct assay_limits {
  double seconds;
  /// Bytes that one process may have for itself.
  unsigned long long memory;
  /// Bytes of the longest file that it may write.
  unsigned long long file;
};

/// What became of a program.
struct assay_outcome {
  /// Its exit code, 256 plus the signal that ended it, or -1 if it could not be started.
  int code;
  /// 1 if its time was over, 2 if whoever started this process ended or told it to end; else 0.
  int stopped;
  double seconds;
  /// The largest memory of any of its processes, in bytes.
  unsigned long long memory;
};

/// Runs a program, and ends with it whatever it started.
///
/// Call it from a process with one thread, which does nothing else. Where the system lets it (Linux, as root or where users
/// may make namespaces) the program's processes are numbered apart: they can signal nobody outside, and end together
/// with the first of them, however many there are. Elsewhere on Linux whoever is left behind is looked for and ended; on other systems its
/// process group is. `log`, an open file, becomes the program's standard error, and if `logs_output` its standard output.
struct assay_outcome assay_supervise(char *const *words, struct assay_limits limits, int log,
                                     int logs_output);

/// Ends this process at once, running nothing that was registered for the end.
_Noreturn void assay_leave(int code);

#endif
