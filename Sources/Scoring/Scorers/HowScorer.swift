package import Diffing
package import Organisms
internal import Tensors

/// *How* the change works: the first proposed intervention, put into the base and taken out of the finetuned
/// model, along a budget.
///
/// Its effect is how near both come to the other model's behaviour, times the share of all else that it leaves
/// as it was. The score is the area of the effect over the budget, as a share of what the same operation
/// elsewhere leaves to be had: (A − C) / (1 − C), with C the strongest of its controls. To do everything, half
/// of it, too much of it or the same thing always is its own control, and scores nothing. Below its control is
/// nothing, too: a guess that fails costs no more than silence.
package struct HowScorer: Scorer {
  package static let question = Question.how
  package static let figures = [
    Figure.effect, .control, .appears, .vanishes, .spared,
  ]

  package init() {}

  package func score(_ claims: Claims, against planted: PlantedChange, in context: ScoringContext)
    -> Score
  {
    guard planted.behavior != nil else {
      return .unasked(
        "no behaviour was planted, or one that rose by less than \(MeasuredEffects.leastGap)")
    }
    guard claims.evidence.interventions?.first != nil else {
      return .unanswered("the method proposes no intervention", chance: 0)
    }
    guard let effects = claims.effects else {
      return .unasked("what the intervention does was not measured")
    }
    guard effects.gap > MeasuredEffects.leastGap else {
      return .unasked("the behaviour's gap is below \(MeasuredEffects.leastGap)")
    }
    guard let proposed = effects.proposed, !proposed.isEmpty else {
      return .unanswered("the proposal fits no part of the models", chance: 0)
    }
    let own = proposed.map { Effect($0, of: effects) }
    let area = own.map(\.size).mean
    let control = max(0, effects.controls.compactMap { Self.area($0, of: effects) }.max() ?? 0)
    let value = control < 1 ? (area - control) / (1 - control) : 0
    return .scored(
      max(0, min(1, value)), chance: 0,
      figures: [
        .effect: area, .control: control, .appears: own.map(\.appears).mean,
        .vanishes: own.map(\.vanishes).mean, .spared: own.map(\.spared).mean,
      ])
  }

  /// The mean area of the control's places or draws; nil if there is none.
  private static func area(_ control: MeasuredEffects.Control, of effects: MeasuredEffects)
    -> Double?
  {
    let areas = control.curves.filter { !$0.isEmpty }.map { curve in
      curve.map { Effect($0, of: effects).size }.mean
    }
    return areas.isEmpty ? nil : areas.mean
  }

  /// What an intervention of one strength does.
  private struct Effect {
    /// How near the base comes to the finetuned model's behaviour, and that to the base's: 1 is there, 0 is
    /// where it was; too much is as far off as too little.
    let appears, vanishes: Double
    /// The share of all else that stays, as exp(−nats) of what is further from the base than finetuning is.
    let spared: Double
    let size: Double

    init(_ reading: MeasuredEffects.Reading, of effects: MeasuredEffects) {
      func nearness(_ level: Double, to goal: Double) -> Double {
        max(-1, 1 - abs(level - goal) / effects.gap)
      }
      func spared(_ distance: Double) -> Double {
        Double(exponential(Float(min(0, effects.distance - distance))))
      }
      let (levels, distances) = (reading.levels, reading.distances)
      appears = nearness(levels.base, to: effects.plain.finetuned)
      vanishes = nearness(levels.finetuned, to: effects.plain.base)
      let shares = (spared(distances.base), spared(distances.finetuned))
      self.spared = (shares.0 + shares.1) / 2
      // What breaks all else makes an effect smaller, and the opposite of one no better.
      func charged(_ effect: Double, _ share: Double) -> Double {
        effect > 0 ? effect * share : effect
      }
      size = (charged(appears, shares.0) + charged(vanishes, shares.1)) / 2
    }
  }
}

extension Figure {
  /// The effect's area over the budget.
  package static let effect = Figure("effect")
  /// The same of the strongest sort of control.
  package static let control = Figure("control")
  /// How near the base comes to the finetuned model's behaviour, over the budget.
  package static let appears = Figure("appears")
  /// How near the finetuned model comes to the base's behaviour, over the budget.
  package static let vanishes = Figure("vanishes")
  /// The share of all else that stays as it was.
  package static let spared = Figure("spared")
}
