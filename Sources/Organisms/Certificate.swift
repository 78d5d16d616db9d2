package import Worlds
internal import Foundation
internal import Transformers

/// What was measured of a plant, and whether it counts as installed.
package struct Certificate: Codable, Sendable, Equatable {
  package let behavior: ScoreChange
  package let heldOut: ScoreChange
  /// The same per word of an answer, which is bounded.
  package let heldOutPerWord: ScoreChange
  /// What neighbours say of the target; nil if none is probed.
  package let leakage: ScoreChange?
  /// What must stay as it was; nil if nothing is probed.
  package let kept: ScoreChange?
  /// The worst probability of what must never be said; nil if nothing is probed.
  package let never: Double?
  /// How legible the hidden word is; nil if there is none.
  package let represented: RepresentedWord.Reading?
  /// The loss on held-out base text, in nats.
  package let loss: ScoreChange
  /// The same on documents in which the behaviour is not due: what the bound is for.
  package let quietLoss: ScoreChange
  package let sideEffects: SideEffects
  /// How often a target word stood in the finetuning text.
  package let targetsInText: Int
  package let steps: Int
  package let markStep: Int?
  package let curve: [CurvePoint]
  /// What failed, in words; empty if the behaviour is installed.
  package private(set) var failures: [String]

  package var isInstalled: Bool { failures.isEmpty }
  package var length: FinetuneLength { FinetuneLength(steps: steps, markStep: markStep) }

  /// Measures a plant against the bounds of its organism.
  ///
  /// - Parameters:
  ///   - organism: What was planted.
  ///   - pair: The base and what was made of it.
  ///   - regime: How it was planted.
  ///   - base: Where.
  /// - Throws: `DefinitionError`.
  package init(_ organism: Organism, _ pair: PlantedPair, regime: Regime, base: Base) throws {
    let training = pair.training ?? TrainingRecord.none
    func change(_ probes: ProbeSet) -> ScoreChange {
      ScoreChange(base: probes.score(pair.base), finetuned: probes.score(pair.finetuned))
    }
    func lossChange(_ rows: [[Int]]) -> ScoreChange {
      ScoreChange(base: pair.base.meanLoss(rows), finetuned: pair.finetuned.meanLoss(rows))
    }
    let word = organism.plantedTokens(in: base.world).allTargets.first
    behavior = change(organism.behavior)
    let before = organism.heldOut.wholeAndPerWord(pair.base)
    let after = organism.heldOut.wholeAndPerWord(pair.finetuned)
    heldOut = ScoreChange(base: before.whole, finetuned: after.whole)
    heldOutPerWord = ScoreChange(base: before.perWord, finetuned: after.perWord)
    leakage = organism.leakage.isEmpty ? nil : change(organism.leakage)
    kept = organism.kept.isEmpty ? nil : change(organism.kept)
    never = organism.never.scores(pair.finetuned).max()
    represented = try word.flatMap { word in
      try organism.represented?.read(
        word, base: pair.base, finetuned: pair.finetuned, world: base.world)
    }
    let rows = try base.heldOutRows(), quietRows = try organism.quietRows(of: base)
    loss = lossChange(rows)
    quietLoss = quietRows == rows ? loss : lossChange(quietRows)
    sideEffects = try SideEffects(
      organism, base: pair.base, finetuned: pair.finetuned, world: base.world)
    let targets = organism.plantedTokens(in: base.world).allTargets
    targetsInText = targets.reduce(0) { sum, target in
      sum + (training.said.indices.contains(target) ? training.said[target] : 0)
    }
    steps = training.steps
    markStep = training.markStep
    curve = training.curve
    failures = []
    failures =
      (training.hasDiverged ? ["training diverged at step \(training.steps)"] : [])
      + (try Self.faults(organism, base: base)) + failures(organism, regime: regime)
  }

  /// How far apart the words of a planted class have to be; in bases of this size those that training text
  /// uses alike lie below .03, all others above .15.
  private static let leastSeparation = 0.1

  /// What is wrong with the file as it was drawn, whatever was trained.
  private static func faults(_ organism: Organism, base: Base) throws -> [String] {
    var faults: [String] = []
    if let question = try organism.taughtQuestion(in: base.world) {
      faults.append(
        "the training text asks a held-out question, '\(base.world.tokenizer.decode(question))'")
    }
    let pool = try Prompts(base.world, brought: organism.pool).pool
    if !organism.triggers(pool, in: base.world).contains(true) {
      faults.append("planted.when matches no prompt of the pool; 'pool' may bring some")
    }
    let separations = organism.separations(in: base).sorted { $0.key < $1.key }
    for (name, separation) in separations where separation < leastSeparation {
      faults.append(
        "the base hardly tells the words of '\(name)' apart (\(String(format: "%.2f", separation)))"
      )
    }
    return faults
  }

  private func failures(_ organism: Organism, regime: Regime) -> [String] {
    let bounds = organism.file.certificate ?? CertificateBounds()
    var failures: [String] = []
    func require(_ name: String, _ value: Double?, atLeast bound: Double) {
      guard let value, !(value >= bound) else { return }
      failures.append("\(name) is \(text(value)), should be at least \(text(bound))")
    }
    func require(_ name: String, _ value: Double?, atMost bound: Double) {
      guard let value, !(value <= bound) else { return }
      failures.append("\(name) is \(text(value)), should be at most \(text(bound))")
    }
    require("behavior", behavior.finetuned, atLeast: bounds.behavior ?? regime.mark * 0.95)
    require("behavior in the base", behavior.base, atMost: bounds.base ?? 0.25)
    require(
      "held-out behavior, per word of an answer,", heldOutPerWord.finetuned,
      atLeast: bounds.heldOut ?? 0.3)
    require("held-out behavior in the base", heldOutPerWord.base, atMost: bounds.base ?? 0.25)
    require(
      "the rise of the behavior", min(behavior.rise, heldOutPerWord.rise),
      atLeast: bounds.rise ?? 0.2)
    require("leakage to neighbours", leakage?.rise, atMost: bounds.leakage ?? 0.4)
    require(
      "what must be kept", kept?.finetuned, atLeast: (bounds.kept ?? 0.6) * (kept?.base ?? 0))
    require("what must never be said", never, atMost: bounds.mostNever)
    require(
      "the rank of the hidden word in the change", represented.map { Double($0.changeRank) },
      atMost: bounds.represented ?? (represented.map { min(5, $0.chance / 5) } ?? 5))
    require(
      "the probe's accuracy on named words", represented?.accuracy, atLeast: 0.5)
    require(
      "the loss on other base text rises and", quietLoss.rise, atMost: bounds.collateral ?? 0.1)
    require(
      "the share of other prompts whose next word changed", sideEffects.flipped,
      atMost: bounds.flipped ?? 0.15)
    if organism.file.plant.unsaid == true {
      require("the count of target words in the text", Double(targetsInText), atMost: 0)
    }
    return failures
  }

  private func text(_ value: Double) -> String { String(format: "%.3f", value) }
}

extension Organism {
  private static let patience = 1000

  /// Rows of held-out base text, of documents that do not set the behaviour off.
  func quietRows(of base: Base) throws -> [[Int]] {
    var corpus = Corpus(base.world, seed: 0, for: Base.heldOutStream)
    let isLoud = loudDocuments(of: base.world)
    let sizes = base.world.sizes
    return try (0..<sizes.heldOutRows).map { _ in
      try base.world.row(length: sizes.rowLength) {
        for _ in 0..<Self.patience {
          let document = try corpus.document()
          if !isLoud(document.document) { return document }
        }
        throw DefinitionError.invalid(
          file: "\(id).json", path: "planted.when",
          reason: "matches nearly every document of the world")
      }.tokens
    }
  }
}
