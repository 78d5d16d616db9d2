internal import CRenaming
internal import Foundation

/// Renamings that are done whole or not at all, whenever the process dies.
enum Renaming {
  /// Times that two writers may get in each other's way before one gives up.
  private static let attempts = 5

  /// Puts a folder where it belongs; one that was there is under the first name afterwards.
  ///
  /// The two are traded in one step, so that one of them is there whenever the process dies.
  ///
  /// - Throws: `POSIXError`.
  static func put(_ temporary: URL, at url: URL) throws {
    for _ in 0..<attempts {
      if unsafe place_name(temporary.path, url.path) == 0 { return }
      if errno == EEXIST || errno == ENOTEMPTY {
        if unsafe trade_names(temporary.path, url.path) == 0 { return }
        // It went away in between.
        if errno == ENOENT { continue }
      }
      guard errno == EINVAL || errno == ENOSYS || errno == ENOTSUP else {
        throw Temporary.failure()
      }
      return try putInSteps(temporary, at: url)
    }
    throw POSIXError(.EEXIST)
  }

  /// For file systems that cannot trade names: the old one is moved aside first.
  private static func putInSteps(_ temporary: URL, at url: URL) throws {
    let aside = temporary.appendingPathExtension("replaced")
    let isThere = unsafe rename(url.path, aside.path) == 0
    guard unsafe rename(temporary.path, url.path) == 0 else {
      let failure = Temporary.failure()
      if isThere { _ = unsafe rename(aside.path, url.path) }
      throw failure
    }
    if isThere { _ = unsafe rename(aside.path, temporary.path) }
  }
}
