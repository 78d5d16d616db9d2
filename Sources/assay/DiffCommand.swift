import Methods
import Worlds
import ArgumentParser
import Bench
import Diffing
import Foundation
import JSON
import Organisms
import Reporting
import Tensors
import Transformers

struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compares two model folders by one method or by all, and prints what it claims.",
    discussion: """
      Two folders, or one that holds 'base' and 'finetuned', as 'plant' writes it. Methods that read text get the \
      world's, if the models' tokenizer is the world's, or sentences and questions that come with Assay, or yours \
      (--text, --prompts). Models that know a chat of a kind that is known get prompts as such.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "The base's folder, or one that holds 'base' and 'finetuned' or 'adapter'.")
  var base: String

  @Argument(help: "The finetuned model's folder, or that of a PEFT adapter for the base.")
  var finetuned: String?

  @Option(name: .customLong("method"), help: "The method; may be repeated. All if not given.")
  var methods: [String] = []

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

  @Option(help: "How many claims of each kind to print.")
  var top = 10

  @Flag(help: "Prints the evidence as JSON, one method a line.")
  var json = false

  @Flag(help: "Prints what each method saw: maps, curves, spectra, tables.")
  var exhibits = false

  @Flag(help: "Prints what each method cost: tokens, seconds, memory.")
  var cost = false

  @Flag(help: "Compares models that fail their self-test all the same.")
  var insist = false

  @Flag(
    help:
      "Compares the weights alone, tensor by tensor as they are stored, whatever the architecture; of large files little is in memory."
  )
  var weights = false

  func validate() throws {
    guard top > 0 else { throw ValidationError("--top should be at least 1.") }
    guard !weights || methods.isEmpty && finetuned != nil else {
      throw ValidationError("--weights takes two folders and no method: it needs no model.")
    }
  }

  func run() throws {
    let chosen = try Methods.chosen(methods)
    if weights { return try compareWeights() }
    do {
      try compare(
        PairFolders(
          base: URL(filePath: base), finetuned: finetuned.map { URL(filePath: $0) },
          insists: insist), by: chosen)
    } catch let error as CheckpointError
      where error.leavesWeights && methods.isEmpty && finetuned != nil
    {
      Notice.standardError("\(error) The weights alone are compared.")
      try compareWeights()
    }
  }

  /// Compares weights that no model is built of.
  private func compareWeights() throws {
    guard let finetuned else { return }
    let progress = CountProgress("compared")
    let comparison = try WeightComparison(
      URL(filePath: base), URL(filePath: finetuned), progress: progress.show)
    progress.finish()
    guard !json else { return Console.showJSON(try JSON.encode(comparison)) }
    Console.show(WeightComparisonText(comparison, top: top).text)
  }

  private func compare(_ models: PairFolders, by chosen: [any DiffingMethod]) throws {
    models.notices.forEach(Notice.standardError)
    let source = try TextSource(
      options.project, models: models,
      files: .init(text: text, prompts: prompts, putsPlainly: plain))
    var costs = CostTable(), tally = Tally()
    for access in AccessLevel.allCases {
      let methods = chosen.filter { $0.card.access.contains(access) }
      guard !methods.isEmpty else { continue }
      guard let prompts = source.prompts(access) else {
        let names = methods.map(\.card.id).joined(separator: ", ")
        Notice.standardError("\(names) (\(access.rawValue)): skipped, they need --text.")
        continue
      }
      // What one level's text recorded is let go before the next.
      let pair = try ModelPair(
        base: models.base, finetuned: models.finetuned, showsExhibits: exhibits || json,
        recordsAhead: methods.count > 1)
      for method in methods {
        try answer(method, access, pair, prompts, models.tokenizer, &costs, &tally)
      }
    }
    if cost { Console.show(costs.text) }
    // One method's failure is its own; the caller learns of it all the same.
    if tally.failures > 0 { throw ExitCode(tally.answers > 0 ? 1 : 2) }
  }

  /// How many methods answered, and how many could not.
  private struct Tally {
    var answers = 0, failures = 0
  }

  private func answer(
    _ method: any DiffingMethod, _ access: AccessLevel, _ pair: ModelPair, _ prompts: PromptSet,
    _ tokenizer: (any Tokenizer)?, _ costs: inout CostTable, _ tally: inout Tally
  ) throws {
    var generator = SeededGenerator(
      seed: methodSeed, for: "\(method.card.id) \(access.rawValue)")
    let start = Date()
    do {
      let (evidence, work) = try pair.measuring {
        try method.evidence(for: pair, on: prompts, using: &generator)
      }
      costs.add(
        MethodAtAccess(method.card.id, access), work,
        seconds: Date().timeIntervalSince(start), peakMemory: peakMemory())
      try show(evidence, method.card, access, tokenizer, prompts)
      tally.answers += 1
    } catch let error as DiffingError {
      Notice.standardError("\(method.card.id) (\(access.rawValue)): no answer: \(error)")
      tally.failures += 1
    }
  }

  private func show(
    _ evidence: Evidence, _ card: MethodCard, _ access: AccessLevel, _ tokenizer: (any Tokenizer)?,
    _ prompts: PromptSet
  ) throws {
    if json {
      struct Line: Encodable {
        let method: String
        let access: AccessLevel
        let evidence: Evidence
      }
      return try PackedNumbers.$writesLists.withValue(true) {
        Console.showJSON(try JSON.encode(Line(method: card.id, access: access, evidence: evidence)))
      }
    }
    Console.show("\(card.id) (\(access.rawValue))")
    Console.show(
      EvidenceText(
        evidence, unit: card.magnitude?.unit, tokenizer: tokenizer, prompts: prompts.text,
        top: top
      ).text)
    guard exhibits else { return }
    let text = ExhibitText(tokenizer: tokenizer, prompts: prompts.text)
    for exhibit in evidence.exhibits {
      Console.show(text.lines(exhibit).map { "    \($0)" }.joined(separator: "\n"))
    }
  }
}
