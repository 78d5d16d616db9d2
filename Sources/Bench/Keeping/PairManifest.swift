internal import Transformers
internal import Files
internal import Foundation
internal import Organisms

/// What a pair's folder holds, so that nothing of it is trusted unseen.
struct PairManifest: Codable, Sendable {
  /// The digest of both models.
  let models: String
  let training: TrainingRecord?
  /// What decides the pair beside the code that made it; nil of pairs in the cache, whose names say it.
  let recipe: String?
  let files: [FileDigest]

  /// Lists what a folder holds.
  init(models: String, training: TrainingRecord?, recipe: String?, files folder: URL) throws {
    self.models = models
    self.recipe = recipe
    self.training = training
    files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
      try FileDigest($0, in: folder)
    }
  }

  /// Checks that a folder holds what it held.
  ///
  /// - Throws: `FileError.damaged` with the first file that is missing or another.
  func check(_ folder: URL) throws {
    for file in files {
      guard (try? FileDigest(file.name, in: folder)) == file else {
        throw FileError.damaged(folder.appending(path: file.name).path)
      }
    }
  }
}
