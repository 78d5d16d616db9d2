/// What an intervention does to the two models of a pair, along a budget, beside the same operation elsewhere.
///
/// Levels are the behaviour's score, from 0 to 1: the probability that the models give to what was planted.
package struct MeasuredEffects: Codable, Equatable, Sendable {
  /// A figure of both models.
  package struct Levels: Codable, Equatable, Sendable {
    /// Of the base, with the intervention.
    package let base: Double
    /// Of the finetuned model, with the intervention taken out.
    package let finetuned: Double

    package init(base: Double, finetuned: Double) {
      self.base = base
      self.finetuned = finetuned
    }
  }

  /// An intervention at one strength.
  package struct Reading: Codable, Equatable, Sendable {
    /// The behaviour.
    package let levels: Levels
    /// How far the answers to all else are from the base's, in nats.
    package let distances: Levels

    package init(levels: Levels, distances: Levels) {
      self.levels = levels
      self.distances = distances
    }
  }

  /// One intervention at every strength, the weakest first.
  package typealias Curve = [Reading]

  /// The same operation elsewhere.
  package struct Control: Codable, Equatable, Sendable {
    /// What is elsewhere: the whole change, other modules, the usual module, random directions.
    package let kind: String
    /// One curve a place or draw.
    package let curves: [Curve]

    package init(kind: String, curves: [Curve]) {
      self.kind = kind
      self.curves = curves
    }
  }

  /// The behaviour without any intervention.
  package let plain: Levels
  /// How far the finetuned model's answers to all else are from the base's, in nats.
  package let distance: Double
  /// The proposal; nil if it fits no part of the models.
  package let proposed: Curve?
  package let controls: [Control]

  package init(plain: Levels, distance: Double, proposed: Curve?, controls: [Control]) {
    self.plain = plain
    self.distance = distance
    self.proposed = proposed
    self.controls = controls
  }

  /// The least difference between the models in a behaviour that interventions are measured on.
  package static let leastGap = 0.2

  /// How much more of the behaviour the finetuned model shows.
  package var gap: Double { plain.finetuned - plain.base }
}
