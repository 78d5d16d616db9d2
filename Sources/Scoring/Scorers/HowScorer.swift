package import Diffing
package import Organisms
internal import Tensors

/// *How* the change works: the first proposed intervention, applied to both models.
///
/// Into the base: does the behaviour appear? Taken from the finetuned model: does it go? Each is a
/// share of the gap between the two, less what random interventions of equal size achieve.
package struct HowScorer: Scorer {
  package static let question = Question.how
  package static let figures = [
    Figure.appears, .vanishes, .randomAppears, .randomVanishes,
  ]

  /// The share of the change, of its squared norm, that a proposal may miss and still be all of it.
  private static let remainder = 0.01

  package init() {}

  package func score(_ claims: Claims, against planted: PlantedChange, in context: ScoringContext)
    -> Score
  {
    guard planted.behavior != nil else { return .unscored("nothing was planted") }
    guard claims.evidence.interventions?.first != nil else {
      return .unscored("the method proposes no intervention")
    }
    guard let effects = claims.effects else {
      return .unscored("what the intervention does was not measured")
    }
    if let missed = effects.missed, missed < Self.remainder {
      return .unscored("the proposal is the whole change, so what it does is no finding")
    }
    guard effects.gap > MeasuredEffects.leastGap else {
      return .unscored("the behaviour's gap is below \(MeasuredEffects.leastGap)")
    }
    guard let proposed = effects.proposed else {
      return .unscored("the proposal fits no layer or tensor of the models")
    }
    let own = Shares(proposed, of: effects)
    let random = effects.controls.map { Shares($0, of: effects) }
    let randomAppears = random.map(\.appears).mean, randomVanishes = random.map(\.vanishes).mean
    let appears = own.appears - randomAppears, vanishes = own.vanishes - randomVanishes
    return .scored(
      max(-1, min(1, (appears + vanishes) / 2)), chance: 0,
      figures: [
        .appears: own.appears, .vanishes: own.vanishes, .randomAppears: randomAppears,
        .randomVanishes: randomVanishes,
      ])
  }

  /// How much of the behaviour appears in the base, and how much goes from the finetuned model, as shares
  /// of what separates the two: more than all of it counts as all.
  private struct Shares {
    let appears, vanishes: Double

    init(_ levels: MeasuredEffects.Levels, of effects: MeasuredEffects) {
      let (base, gap) = (effects.plain.base, effects.gap)
      appears = min(1, (levels.base - base) / gap)
      vanishes = min(1, (base + gap - levels.finetuned) / gap)
    }
  }
}

extension Figure {
  /// The share of the behaviour that appears in the base.
  package static let appears = Figure("appears")
  /// The share of the behaviour that goes from the finetuned model.
  package static let vanishes = Figure("vanishes")
  /// The same of random interventions.
  package static let randomAppears = Figure("randomAppears")
  package static let randomVanishes = Figure("randomVanishes")
}
