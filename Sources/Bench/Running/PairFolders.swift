internal import Diffing
package import Foundation
package import Transformers

/// The two models of a comparison; of a LoRA finetune only the adapter's factors are held beside the base.
package struct PairFolders: Sendable {
  package let base: any LanguageModel
  package let finetuned: any LanguageModel
  package let tokenizer: (any Tokenizer)?

  /// Reads two folders.
  ///
  /// - Parameters:
  ///   - base: A model's folder, or one that holds `base` and `finetuned` or `adapter`, as 'plant' writes.
  ///   - finetuned: The finetuned model's folder, or a PEFT adapter's; nil if `base` holds both.
  /// - Throws: `CheckpointError` or `JSONError`.
  package init(base: URL, finetuned: URL?) throws {
    let (first, second) = try Self.folders(base, finetuned)
    let before = try HuggingFaceFolder.read(first)
    self.base = before.model
    guard Self.holds(second, "adapter_config.json") else {
      let after = try HuggingFaceFolder.read(second)
      self.finetuned = after.model
      tokenizer = before.tokenizer ?? after.tokenizer
      return
    }
    var model = before.model
    model.parameters = try PEFTAdapter.read(second, base: model).adapted(model.parameters)
    self.finetuned = model
    tokenizer = before.tokenizer
  }

  private static func folders(_ base: URL, _ finetuned: URL?) throws -> (URL, URL) {
    if let finetuned { return (base, finetuned) }
    let second = ["finetuned", "adapter"].map { base.appending(path: $0) }
      .first { holds($0, "config.json") || holds($0, "adapter_config.json") }
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
