/// A mistake in a JSON document, with the place where it is.
package enum JSONError: Error, Equatable, Sendable {
  case unreadable(file: String, reason: String)
  case syntax(file: String, offset: Int, reason: String)
  case duplicateKey(file: String, path: String, offset: Int)
  case unknownKey(file: String, path: String, nearest: String?)
  /// `similar` is a key that is there, unknown, and spelt nearly like the missing one.
  case missingKey(file: String, path: String, similar: String? = nil)
  case wrongType(file: String, path: String, expected: String, found: String)
  case invalid(file: String, path: String, reason: String)
  case notRepresentable(path: String, reason: String)
}

extension JSONError {
  /// The error with the line behind the file's name.
  ///
  /// - Parameter line: The line of a path.
  package func located(_ line: (String) -> Int) -> JSONError {
    func place(_ file: String, _ path: String) -> String { "\(file):\(line(path))" }
    return switch self {
    case .unknownKey(let file, let path, let nearest):
      .unknownKey(file: place(file, path), path: path, nearest: nearest)
    case .missingKey(let file, let path, let similar):
      .missingKey(file: place(file, path), path: path, similar: similar)
    case .wrongType(let file, let path, let expected, let found):
      .wrongType(file: place(file, path), path: path, expected: expected, found: found)
    case .invalid(let file, let path, let reason):
      .invalid(file: place(file, path), path: path, reason: reason)
    case .unreadable, .syntax, .duplicateKey, .notRepresentable: self
    }
  }
}

extension JSONError: CustomStringConvertible {
  package var description: String { Printable.line(text) }

  private var text: String {
    switch self {
    case .unreadable(let file, let reason):
      "\(file): cannot be read: \(reason)."
    case .syntax(let file, let offset, let reason):
      "\(file): not valid JSON: \(reason) (byte \(offset))."
    case .duplicateKey(let file, let path, let offset):
      "\(file): key '\(path)' appears twice (again at byte \(offset)). Remove one of them."
    case .unknownKey(let file, let path, let nearest):
      "\(file): unknown key '\(path)'." + (nearest.map { " Did you mean '\($0)'?" } ?? "")
    case .missingKey(let file, let path, let similar):
      "\(file): key '\(path)' is missing."
        + (similar.map { " There is '\($0)': did you mean '\(path)'?" } ?? "")
    case .wrongType(let file, let path, let expected, let found):
      "\(file): '\(path)' should be \(expected), but is \(found)."
    case .invalid(let file, let path, let reason):
      "\(file): '\(path)': \(reason)."
    case .notRepresentable(let path, let reason):
      "'\(path)' cannot be written as JSON: \(reason)."
    }
  }
}
