internal import Transformers
internal import Files
internal import Foundation
internal import Organisms

/// What a pair's folder holds, so that nothing of it is trusted unseen.
struct PairManifest: Codable, Sendable {
  struct File: Codable, Sendable {
    let name: String
    let digest: String
  }

  /// The digest of both models.
  let models: String
  let training: TrainingRecord?
  let files: [File]

  /// Lists what a folder holds.
  init(models: String, training: TrainingRecord?, files folder: URL) throws {
    self.models = models
    self.training = training
    files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
      File(name: $0, digest: try Self.digest(folder.appending(path: $0)))
    }
  }

  /// Checks that a folder holds what it held.
  ///
  /// - Throws: `FileError.damaged` with the first file that is missing or another.
  func check(_ folder: URL) throws {
    for file in files {
      let url = folder.appending(path: file.name)
      guard (try? Self.digest(url)) == file.digest else { throw FileError.damaged(url.path) }
    }
  }

  private static func digest(_ url: URL) throws -> String {
    var hash = ContentHash()
    hash.mix(try Data(contentsOf: url))
    return hash.text
  }
}
