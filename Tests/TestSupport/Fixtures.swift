package import Foundation

/// Where the repository keeps what tests read.
package enum Fixtures {
  /// The top of the checkout that the tests were built from.
  package static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A file or folder under `Fixtures/`.
  package static func url(_ path: String) -> URL { repository.appending(path: "Fixtures/\(path)") }

  /// Runs a body with an empty folder that is removed afterwards.
  package static func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "assay-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}
