#pragma once
// Two renamings of Linux and macOS that their headers show to Swift not at all, or under other names.
#include <stdio.h>

#ifdef __APPLE__
static inline int place_name(const char *from, const char *to) {
  return renamex_np(from, to, RENAME_EXCL);
}
static inline int trade_names(const char *one, const char *other) {
  return renamex_np(one, other, RENAME_SWAP);
}
#else
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { no_replace = 1, exchange = 2 };

// Gives a file a new name if nothing has it; as rename(2).
static inline int place_name(const char *from, const char *to) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, no_replace);
}

// Trades two names in one step; as rename(2).
static inline int trade_names(const char *one, const char *other) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, exchange);
}
#endif
