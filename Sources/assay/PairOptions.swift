import ArgumentParser
import Bench
import Diffing
import Foundation
import Methods
import Transformers

/// Two models of one's own, the text that they are given, and finetunes to compare them with.
struct PairOptions: ParsableArguments {
  @Argument(help: "The base's folder, or one that holds 'base' and 'finetuned' or 'adapter'.")
  var base: String?

  @Argument(help: "The finetuned model's folder, or that of a PEFT adapter for the base.")
  var finetuned: String?

  @Option(
    help:
      "A file of ordinary text, a row a line, of objects with a 'text' (.jsonl), or of token ids; 'wordnet' for its glosses, if they are installed. Without --prompts it serves as prompts too."
  )
  var text: String?

  @Option(
    help: "A file of prompts, a line each, of objects with a 'text' (.jsonl), or of token ids.")
  var prompts: String?

  @Flag(help: "Puts prompts as they are, although the models know a chat.")
  var plain = false

  @Option(help: "Decides what methods draw.")
  var methodSeed: UInt64 = 0

  @Flag(help: "Compares models that fail their self-test all the same.")
  var insist = false

  @Option(
    name: .customLong("null"),
    help:
      "Another finetune of the base in which nothing was planted, or its adapter; may be repeated. Magnitudes are compared with theirs."
  )
  var nulls: [String] = []

  @Option(
    help:
      "Makes so many finetunes of the base in which nothing is planted, as far from it as yours, and compares magnitudes with theirs. They are kept in .assay/benign."
  )
  var calibrate = 0

  /// The base's folder; empty where models are behind servers.
  var baseFolder: String { base ?? "" }

  /// What people call the two models.
  var title: String { "\(baseFolder) and \(finetuned ?? "what was made of it")" }

  func validate() throws {
    guard (0...999).contains(calibrate) else {
      throw ValidationError("--calibrate should be from 1 to 999.")
    }
  }

  /// Reads the two models.
  func models() throws -> PairFolders { try folders(finetuned) }

  private func folders(_ finetuned: String?) throws -> PairFolders {
    try PairFolders(
      base: URL(filePath: baseFolder), finetuned: finetuned.map { URL(filePath: $0) },
      insists: insist)
  }

  /// The text that methods are given.
  func source(_ project: ProjectOptions, _ models: PairFolders) throws -> TextSource {
    try TextSource(
      project.project, models: models,
      files: .init(text: text, prompts: prompts, putsPlainly: plain))
  }

  /// Opens every finetune that the pair is compared with, one after the other: those that are named, then those that are made.
  func forEachNull(
    _ project: ProjectOptions, _ models: PairFolders, _ body: (PairFolders, String) throws -> Void
  ) throws {
    var seen: [Parameters] = []
    for name in nulls {
      let null = try self.null(name, models)
      guard !seen.contains(null.finetuned.parameters) else {
        throw ValidationError("The null \(name): it is the same model as another one.")
      }
      seen.append(null.finetuned.parameters)
      try body(null, name)
    }
    guard calibrate > 0 else { return }
    let finetunes = try BenignFinetunes(project.project, models)
    for index in 0..<calibrate {
      let progress = TrainingProgress("benign finetune \(index + 1) of \(calibrate)")
      let (pair, scale) = try finetunes.pair(index, progress: progress.show)
      progress.finish()
      if scale > 2 {
        Notice.standardError(
          "Benign finetune \(index + 1) did not get as far as yours: its change is made "
            + "\(fixed(Double(scale), 1)) times as large.")
      }
      try body(pair, "benign \(index + 1)")
    }
  }

  /// A finetune in which nothing was planted; what is wrong with it is told with its name.
  private func null(_ null: String, _ models: PairFolders) throws -> PairFolders {
    do {
      let pair = try folders(null)
      pair.notices.forEach { Notice.standardError("The null \(null): \($0)") }
      for (model, name) in [(models.base, "base"), (models.finetuned, "finetuned model")]
      where pair.finetuned.parameters == model.parameters {
        throw ValidationError("it is the \(name) itself.")
      }
      return pair
    } catch {
      throw ValidationError("The null \(null): \(error)")
    }
  }
}
