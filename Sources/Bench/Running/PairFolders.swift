internal import Diffing
package import Foundation
package import Transformers

/// The two models of a comparison; of a LoRA finetune only the adapter's factors are held beside the base.
package struct PairFolders: Sendable {
  package let base: any LanguageModel
  package let finetuned: any LanguageModel
  package let tokenizer: (any Tokenizer)?
  /// The finetuned model's own, if its folder has one.
  package let finetunedTokenizer: (any Tokenizer)?
  package let markers: TokenMarkers
  /// What of the folders could not be used, and in what the two differ, each in a sentence.
  package let notices: [String]

  /// Reads two folders.
  ///
  /// - Parameters:
  ///   - base: A model's folder, or one that holds `base` and `finetuned` or `adapter`, as 'plant' writes.
  ///   - finetuned: The finetuned model's folder, or a PEFT adapter's; nil if `base` holds both.
  /// - Throws: `CheckpointError` or `JSONError`.
  package init(base: URL, finetuned: URL?) throws {
    let (first, second) = try Self.folders(base, finetuned)
    let before = try HuggingFaceFolder.read(first)
    let isAdapter = Self.holds(second, "adapter_config.json") && !Self.holds(second, "config.json")
    let after = try isAdapter ? Self.adapted(before, by: second) : HuggingFaceFolder.read(second)
    let matched = try Architectures.matched(before.model, after.model)
    (self.base, self.finetuned) = (matched.base, matched.finetuned)
    tokenizer = before.tokenizer ?? after.tokenizer
    finetunedTokenizer = after.tokenizer
    markers = TokenMarkers(
      before.markers, after.markers, vocabulary: matched.base.shape.vocabulary)
    let all = before.notices + after.notices + matched.notices
    notices = all + [Self.disagreement(before.tokenizer, after.tokenizer)].compactMap { $0 }
  }

  private static func adapted(_ base: Checkpoint, by folder: URL) throws -> Checkpoint {
    let model = try PEFTAdapter.changes(folder, base: base.model).model
    return Checkpoint(model: model, tokenizer: base.tokenizer, markers: base.markers, notices: [])
  }

  private static func disagreement(_ base: (any Tokenizer)?, _ finetuned: (any Tokenizer)?)
    -> String?
  {
    guard let base, let finetuned else { return nil }
    let ids = base.disagreements(with: finetuned)
    guard let id = ids.first else { return nil }
    return
      "The tokenizers of the two models differ in \(ids.count) tokens, as \(id): '\(base.word(id))' in "
      + "the base, '\(finetuned.word(id))' in the finetuned model. Tokens are named as in the base."
  }

  private static func folders(_ base: URL, _ finetuned: URL?) throws -> (URL, URL) {
    if let finetuned { return (base, finetuned) }
    let second = ["finetuned", "adapter"].map { base.appending(path: $0) }
      .first { FileManager.default.fileExists(atPath: $0.path) }
    guard let second, holds(base.appending(path: "base"), "config.json") else {
      throw CheckpointError.missingFile(
        "base, and finetuned or adapter, as './assay plant ID --out PAIR' writes them",
        folder: base.path)
    }
    return (base.appending(path: "base"), second)
  }

  private static func holds(_ folder: URL, _ file: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: file).path)
  }
}
