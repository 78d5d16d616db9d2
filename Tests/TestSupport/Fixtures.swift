package import Foundation
internal import Testing

/// Where the repository keeps what tests read.
package enum Fixtures {
  /// The top of the checkout that the tests were built from.
  package static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Where models are that people fetched, if they did.
  package static let models = repository.appending(path: ".assay/models")

  /// A file or folder under `Fixtures/`.
  package static func url(_ path: String) -> URL { repository.appending(path: "Fixtures/\(path)") }

  /// The first block of code in a language that a page of the repository shows.
  package static func example(_ language: String, in page: String) throws -> String {
    let text = try String(contentsOf: repository.appending(path: page), encoding: .utf8)
    let start = try #require(text.range(of: "```\(language)\n"))
    let end = try #require(text.range(of: "\n```", range: start.upperBound..<text.endIndex))
    return String(text[start.upperBound..<end.lowerBound])
  }

  /// Runs a body in a checkout whose organisms and fixtures are this one's, and whose cache starts empty.
  package static func withCheckout<Result>(_ body: (URL) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      for name in ["Organisms", "Fixtures"] {
        try FileManager.default.createSymbolicLink(
          at: folder.appending(path: name), withDestinationURL: repository.appending(path: name))
      }
      return try body(folder)
    }
  }

  /// Runs a body with an empty folder that is removed afterwards.
  package static func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "assay-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  /// A built program, which lies beside the tests; nil if there is none.
  package static func program(_ name: String) -> URL? {
    // Of the test runner, the folder of the built products.
    let bundle = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
    let products = repository.appending(path: ".build/debug")
    return [bundle, products].compactMap { $0?.appending(path: name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
}
