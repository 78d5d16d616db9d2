/// What an intervention does to the behaviour of both models, measured once and kept.
///
/// Levels are the behaviour's score, from 0 to 1: the probability that the models give to what was planted.
package struct MeasuredEffects: Codable, Equatable, Sendable {
  /// The behaviour's level in a model.
  package struct Levels: Codable, Equatable, Sendable {
    /// In the base, with the intervention.
    package let base: Double
    /// In the finetuned model, with the intervention taken out.
    package let finetuned: Double

    package init(base: Double, finetuned: Double) {
      self.base = base
      self.finetuned = finetuned
    }
  }

  /// Without any intervention.
  package let plain: Levels
  /// With the proposed one; nil where the models hardly differ in the behaviour, or the edit fits no tensor.
  package let proposed: Levels?
  /// With random ones of the same size in the same place.
  package let controls: [Levels]
  /// The share of the finetune's squared norm that an edit of weights leaves out; nil for other interventions.
  package let missed: Double?

  package init(plain: Levels, proposed: Levels?, controls: [Levels], missed: Double?) {
    self.plain = plain
    self.proposed = proposed
    self.controls = controls
    self.missed = missed
  }

  /// The least difference between the models in a behaviour that interventions are measured on.
  package static let leastGap = 0.2

  /// How much more of the behaviour the finetuned model shows.
  package var gap: Double { plain.finetuned - plain.base }
}
