internal import Foundation

/// What people are told apart from what they asked for.
package enum Notice {
  /// Writes a sentence to standard error.
  package static let standardError: @Sendable (String) -> Void = { text in
    FileHandle.standardError.write(Data("assay: \(text)\n".utf8))
  }
}
