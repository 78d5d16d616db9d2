internal import JSON
internal import Foundation

/// What people are told apart from what they asked for.
package enum Notice {
  /// Writes a sentence to standard error.
  package static let standardError: @Sendable (String) -> Void = { text in
    write("assay: \(Printable.lines(text))\n")
  }

  /// Writes to standard error as it is; where nobody can read it, nothing happens.
  package static func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
