internal import CIsolation
internal import Foundation
internal import Synchronization

/// What starting processes from several threads takes.
enum ProcessStart {
  /// Held while a process is started: what another thread opens meanwhile would be inherited.
  static let lock = Mutex(())

  /// Whether a file has something to read, or ended, before some seconds are over.
  static func hasSomething(_ file: FileHandle, within seconds: Double) -> Bool {
    assay_wait_at_most(file.fileDescriptor, Int32(min(seconds, 3600) * 1000) + 1) == 1
  }
}
