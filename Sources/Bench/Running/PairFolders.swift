internal import Diffing
package import Foundation
package import Transformers

/// The two models of a comparison; of a LoRA finetune only the adapter's factors are held beside the base.
package struct PairFolders: Sendable {
  package let base: any LanguageModel
  package let finetuned: any LanguageModel
  /// The base as its folder has it: beside a finetuned model of 16 bits, `base` is rounded alike.
  package let baseAsRead: any LanguageModel
  package let tokenizer: (any Tokenizer)?
  /// The finetuned model's own, if its folder has one.
  package let finetunedTokenizer: (any Tokenizer)?
  package let markers: TokenMarkers
  /// How chats are written: as the finetuned model's template has it, or the base's if it has none.
  package let chat: ChatFormat?
  /// What of the folders could not be used, and in what the two differ, each in a sentence.
  package let notices: [String]

  /// Reads two folders.
  ///
  /// - Parameters:
  ///   - base: A model's folder, or one that holds `base` and `finetuned` or `adapter`, as 'plant' writes.
  ///   - finetuned: The finetuned model's folder, or a PEFT adapter's; nil if `base` holds both.
  ///   - insists: Whether models that fail their self-test are taken all the same.
  /// - Throws: `CheckpointError` or `JSONError`.
  package init(base: URL, finetuned: URL?, insists: Bool = false) throws {
    let (first, second) = try Self.folders(base, finetuned)
    let whole = try HuggingFaceFolder.read(first)
    if !insists { try SelfTest.require(whole, first) }
    let after = try Self.read(second, of: whole)
    if !insists, !Self.isAdapter(second) { try SelfTest.require(after, second) }
    baseAsRead = whole.model
    let (before, residue) = RoundingResidue.removed(whole, after)
    let matched = try Architectures.matched(before.model, after.model)
    (self.base, self.finetuned) = (matched.base, matched.finetuned)
    tokenizer = before.tokenizer ?? after.tokenizer
    finetunedTokenizer = after.tokenizer
    markers = TokenMarkers(
      before.markers, after.markers, vocabulary: matched.base.shape.vocabulary)
    chat = after.hasChatTemplate ? after.chat : before.chat
    let all = before.notices + after.notices + matched.notices
    notices =
      all
      + [
        Doctor.tokenizers(before, after).warning, Doctor.chats(before, after).warning,
        residue?.finding.text,
        Descent(matched.base, matched.finetuned)?.finding.warning,
      ].compactMap { $0 }
  }

  /// The same base and texts with another finetune.
  func with(finetuned: any LanguageModel) -> PairFolders {
    PairFolders(copying: self, finetuned: finetuned)
  }

  private init(copying other: PairFolders, finetuned: any LanguageModel) {
    base = other.base
    baseAsRead = other.baseAsRead
    self.finetuned = finetuned
    tokenizer = other.tokenizer
    finetunedTokenizer = other.finetunedTokenizer
    markers = other.markers
    chat = other.chat
    notices = []
  }

  static func isAdapter(_ folder: URL) -> Bool {
    holds(folder, "adapter_config.json") && !holds(folder, "config.json")
  }

  /// Reads what was made of a base: a model, or an adapter.
  private static func read(_ folder: URL, of base: Checkpoint) throws -> Checkpoint {
    try isAdapter(folder) ? adapted(base, by: folder) : HuggingFaceFolder.read(folder)
  }

  /// What is well with what was made of a base, and what is not; and the model, if it can be read.
  package static func findings(_ folder: URL, of base: Checkpoint) -> (
    findings: [Finding], checkpoint: Checkpoint?
  ) {
    guard isAdapter(folder) else { return Doctor.findings(folder) }
    do {
      let checkpoint = try adapted(base, by: folder)
      let text =
        checkpoint.model.parameters.isAdaptation(of: base.model.parameters)
        ? "factors beside the base's memory" : "it replaces whole tensors of the base"
      return ([Finding(.ok, "adapter", text)], checkpoint)
    } catch {
      return ([Finding(.fault, "reading", "\(error)")], nil)
    }
  }

  private static func adapted(_ base: Checkpoint, by folder: URL) throws -> Checkpoint {
    try HuggingFaceFolder.readTexts(
      beside: folder,
      of: base.with(PEFTAdapter.changes(folder, base: base.model).model, types: [:], notices: []))
  }

  /// The two folders of a pair that is named by one or by both.
  static func folders(_ base: URL, _ finetuned: URL?) throws -> (URL, URL) {
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
