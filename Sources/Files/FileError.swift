internal import JSON
internal import Foundation

/// A file or folder that could not be written, or not be trusted.
package enum FileError: Error, Equatable, Sendable {
  case unwritable(String, reason: String)
  /// What is there is not what was written.
  case damaged(String)
}

extension FileError: CustomStringConvertible {
  package var description: String { Printable.line(text) }

  private var text: String {
    switch self {
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)."
    case .damaged(let path): "\(path): damaged: its content is not what was written."
    }
  }
}

extension FileError {
  /// What the system said of a place, in words; an error of another kind as it is.
  static func unwritable(_ url: URL, _ error: any Error) -> any Error {
    guard error is CocoaError || error is POSIXError else { return error }
    return FileError.unwritable(url.path, reason: reason(error))
  }

  private static func reason(_ error: any Error) -> String {
    let code = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    let number = code?.code ?? (error as NSError).code
    switch number {
    case CocoaError.fileWriteVolumeReadOnly.rawValue: return "the file system is read-only"
    case CocoaError.fileWriteUnknown.rawValue, CocoaError.fileWriteFileExists.rawValue:
      return "a part of the path is a file, or the place takes no files"
    case Int(EACCES), Int(EPERM), CocoaError.fileWriteNoPermission.rawValue:
      return "permission denied"
    case Int(ENOSPC), Int(EDQUOT), CocoaError.fileWriteOutOfSpace.rawValue:
      return "the disk is full"
    case Int(EROFS): return "the file system is read-only"
    case Int(ENOTDIR), Int(EEXIST): return "a part of the path is a file, not a folder"
    case Int(EISDIR), Int(ENOTEMPTY): return "a folder is there already"
    case Int(ENOENT): return "a folder above it is not there"
    case Int(ENAMETOOLONG): return "the name is too long"
    default: return "the system refused (\(number))"
    }
  }
}
