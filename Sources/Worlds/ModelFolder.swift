package import Foundation
internal import JSON
package import Transformers

/// The folder of a model that was not made for a world: its base, and whose language the world speaks.
package struct ModelFolder: Sendable {
  package let url: URL
  package let shape: ModelShape
  /// The tokens that stand for no text.
  let markers: TokenMarkers
  let language: TextLanguage

  /// Opens a model's folder, weights unread.
  ///
  /// - Parameters:
  ///   - name: What `assay fetch` calls it.
  ///   - models: Where fetched models are.
  ///   - file: The world file that names it.
  /// - Throws: `DefinitionError` if it is not there; `CheckpointError` or `JSONError` if it cannot be read.
  init(_ name: String, in models: URL, file: String) throws {
    guard Name.isValid(name) else {
      throw DefinitionError.invalid(
        file: file, path: "model", reason: "should be of lowercase letters, digits and hyphens")
    }
    url = models.appending(path: name, directoryHint: .isDirectory)
    guard RegularFile.isThere(url.appending(path: "config.json")) else {
      throw DefinitionError.invalid(
        file: file, path: "model",
        reason: "'\(name)' is not in \(models.path); run 'assay fetch \(name)'")
    }
    let speech = try HuggingFaceFolder.readSpeech(url)
    shape = speech.shape
    markers = speech.markers
    language = TextLanguage(speech.tokenizer, chat: speech.chat)
  }
}
