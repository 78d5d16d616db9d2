internal import CIsolation

/// What this process allocated and needs no more.
package enum FreedMemory {
  /// Keeps it for what is asked for next, where the C library gives it back and the system clears it again: a cost
  /// to processes that ask for the same sizes over and over, as those that measure many pairs do.
  package static func keep() { assay_keep_freed() }
}
