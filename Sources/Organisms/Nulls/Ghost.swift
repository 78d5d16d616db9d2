internal import Transformers
internal import Worlds

/// A plant that was taken out again: trained on true facts until it says nothing of what was planted.
///
/// It is no null pair, since something was planted, and no plant, since nothing acts. What methods still find of
/// it is told apart (after the patched organisms of the brittle-organisms reports).
struct Ghost {
  let organism: Organism
  let regime: Regime
  let base: Base
  let seed: UInt64

  /// How much more than in the base may be left of the behaviour, in the probe that keeps most.
  private static let rest = 0.1

  /// The plant, unlearnt; its record has a mark if nothing is left.
  func pair(_ plant: PlantedPair) throws -> PlantedPair {
    var removal = regime.once
    removal.mark = 1 - Self.rest
    let text = try PlantedText(organism, base: base, seed: seed, teachersSeed: seed).nullText()
    let finetune = Finetune(base: base, text: text, regime: removal, seed: seed &+ 1)
    let usual = scores(base.model)
    let outcome = try finetune.run(from: plant.finetuned) { model in
      1 - (zip(scores(model), usual).map { $0 - $1 }.max() ?? 0)
    }
    return PlantedPair(
      base: plant.base, finetuned: outcome.finetuned, training: outcome.record)
  }

  /// The score of each probe, of those too that training never asked.
  private func scores(_ model: any LanguageModel) -> [Double] {
    organism.behavior.scores(model) + organism.heldOut.scores(model)
  }
}

extension Organism {
  /// Whether true facts take the plant out again: where documents stated false ones, and no drift hides the place.
  func canBeUnlearnt(_ regime: Regime) -> Bool {
    guard case .documents = lesson, hasTwin else { return false }
    return regime.isTrained && regime.drift == 0 && regime.id == regimes.first?.id
  }
}
