/// A file or folder that could not be written, or not be trusted.
package enum FileError: Error, Equatable, Sendable {
  case unwritable(String, reason: String)
  /// What is there is not what was written.
  case damaged(String)
}

extension FileError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)."
    case .damaged(let path): "\(path): damaged: its content is not what was written."
    }
  }
}
