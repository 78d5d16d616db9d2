import Bench
import Dashboard
import Diffing
import Foundation
import JSON
import Methods
import Reporting
import Tensors
import Transformers

/// One comparison of two models by some methods, level by level of access.
struct DiffRun {
  private let command: DiffCommand
  private let models: PairFolders
  private let source: TextSource
  private let methods: [any DiffingMethod]
  private var scale: MagnitudeScale
  private let progress = Progress()
  private(set) var costs = CostTable()
  /// What every method said, for a page; nil if none is asked for.
  private(set) var page: PairPage?
  /// How many methods answered, and how many could not.
  private(set) var answers = 0, failures = 0

  init(
    _ command: DiffCommand, _ models: PairFolders, _ source: TextSource,
    _ methods: [any DiffingMethod]
  ) {
    self.command = command
    self.models = models
    self.source = source
    self.methods = methods
    scale = MagnitudeScale(command.options.project)
    page = command.html.map { _ in
      PairPage(
        .init(
          title: command.pair.title, base: command.pair.baseFolder,
          finetuned: command.pair.finetuned ?? "finetuned",
          notices: models.notices), tokenizer: models.tokenizer)
    }
  }

  /// The prompts on which both models are shown; nil if there are none.
  var prompts: TokenBatch? { source.prompts(.pool)?.text }

  /// The levels of access that were chosen.
  private var levels: [AccessLevel] {
    AccessLevel.allCases.filter { command.levels.isEmpty || command.levels.contains($0) }
  }

  /// Asks every method at every level; what one level's text recorded is let go before the next.
  private func forEachQuestion(
    of models: PairFolders, showsExhibits: Bool, as title: String = "",
    _ body: (AskedMethod) throws -> Void
  ) throws {
    defer { progress.finish() }
    for access in levels {
      let chosen = methods.filter { $0.card.access.contains(access) }
      guard !chosen.isEmpty, let prompts = source.prompts(access) else { continue }
      let pair = try ModelPair(
        base: models.base, finetuned: models.finetuned, showsExhibits: showsExhibits,
        recordsAhead: chosen.count > 1)
      for (index, method) in chosen.enumerated() {
        progress.show(
          "\(title)\(method.card.id) (\(access.rawValue)), \(index + 1) of \(chosen.count) at this level"
        )
        try body(AskedMethod(method: method, prompts: prompts, pair: pair))
      }
    }
  }

  /// Takes what methods say of a finetune in which nothing was planted.
  mutating func calibrate(on null: PairFolders, named name: String) throws {
    var magnitudes: [(MethodAtAccess, Double?)] = []
    try forEachQuestion(of: null, showsExhibits: false, as: "null \(name): ") { question in
      guard question.method.card.magnitude != nil else { return }
      do {
        let (evidence, _) = try question.evidence(seed: command.pair.methodSeed)
        magnitudes.append((question.row, evidence.magnitude))
      } catch let error as DiffingError {
        progress.finish()
        Notice.standardError("\(question.row): no answer on the null \(name): \(error)")
      }
    }
    for (cell, magnitude) in magnitudes { scale.add(cell, magnitude) }
  }

  /// Prints what every method claims.
  mutating func compare() throws {
    for access in levels where source.prompts(access) == nil {
      let names = methods.filter { $0.card.access.contains(access) }.map(\.card.id)
      guard !names.isEmpty else { continue }
      tell("\(names.joined(separator: ", ")) (\(access.rawValue)): skipped, they need --text.")
    }
    var done = self
    try forEachQuestion(
      of: models,
      showsExhibits: command.exhibits || command.json || command.html != nil
    ) {
      try done.answer($0)
    }
    self = done
  }

  private mutating func answer(_ question: AskedMethod) throws {
    let start = Date()
    do {
      let (evidence, work) = try question.evidence(seed: command.pair.methodSeed)
      let seconds = Date().timeIntervalSince(start)
      costs.add(question.row, work, seconds: seconds, peakMemory: peakMemory())
      page?.add(
        .init(
          card: question.method.card, access: question.prompts.access, evidence: evidence,
          standing: evidence.magnitude.map { scale.standing(of: $0, question.row) },
          seconds: seconds, work: work), text: question.prompts.text)
      try show(evidence, question)
      answers += 1
    } catch let error as DiffingError {
      progress.finish()
      tell(
        "\(question.method.card.id) (\(question.prompts.access.rawValue)): no answer: \(error)",
        by: Notice.error)
      failures += 1
    }
  }

  /// Says what has no answer, where people look.
  private mutating func tell(
    _ notice: String, by tell: (String) -> Void = Notice.standardError
  ) {
    tell(notice)
    page?.add(notice: notice)
  }

  private func show(_ evidence: Evidence, _ question: AskedMethod) throws {
    let (card, prompts) = (question.method.card, question.prompts)
    progress.finish()
    if command.json {
      struct Line: Encodable {
        let method: String
        let access: AccessLevel
        let standing: String?
        let evidence: Evidence
      }
      let line = Line(
        method: card.id, access: prompts.access,
        standing: evidence.magnitude.map { scale.standing(of: $0, question.row) },
        evidence: evidence)
      return try PackedNumbers.$writesLists.withValue(true) {
        Console.showJSON(try JSON.encode(line))
      }
    }
    Console.show("\(card.id) (\(prompts.access.rawValue))")
    Console.show(
      EvidenceText(
        evidence, unit: card.magnitude?.unit, tokenizer: models.tokenizer, prompts: prompts.text,
        top: command.top, standing: { scale.standing(of: $0, question.row) }
      ).text)
    guard command.exhibits else { return }
    let text = ExhibitText(tokenizer: models.tokenizer, prompts: prompts.text)
    for exhibit in evidence.exhibits {
      Console.show(text.lines(exhibit).map { "    \($0)" }.joined(separator: "\n"))
    }
  }
}
