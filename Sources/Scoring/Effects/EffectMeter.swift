package import Diffing
internal import Synchronization
internal import Tensors
internal import Transformers
package import Worlds

/// Applies interventions to the two models of a pair and measures what they do to a behaviour.
package final class EffectMeter: Sendable {
  /// Random interventions beside each proposed one.
  package static let controls = 6

  private let pair: ModelPair
  private let behavior: ProbeSet
  private let seed: UInt64
  private let plain: MeasuredEffects.Levels
  private let state = Mutex(State())

  private struct State {
    var activations: [ModelPair.Side: [ActivationSite: Tensor]] = [:]
  }

  /// Measures how much of the behaviour the two models show.
  ///
  /// - Parameters:
  ///   - pair: The models.
  ///   - behavior: What is asked; methods never see it.
  ///   - seed: Draws random interventions.
  package init(_ pair: ModelPair, behavior: ProbeSet, seed: UInt64) {
    self.pair = pair
    self.behavior = behavior
    self.seed = seed
    plain = MeasuredEffects.Levels(
      base: behavior.score(pair.base), finetuned: behavior.score(pair.finetuned))
  }

  /// Measures an intervention beside random ones of its size.
  package func effects(of proposal: ProposedIntervention) -> MeasuredEffects {
    let missed = proposal.missedShare(of: pair)
    let gap = plain.finetuned - plain.base
    guard gap > MeasuredEffects.leastGap, let operation = Operation(proposal, pair) else {
      return MeasuredEffects(plain: plain, proposed: nil, controls: [], missed: missed)
    }
    var generator = SeededGenerator(seed: seed, for: "random interventions")
    let controls = (0..<Self.controls).map { _ in
      levels(operation.control(using: &generator))
    }
    return MeasuredEffects(
      plain: plain, proposed: levels(operation), controls: controls, missed: missed)
  }

  private func levels(_ operation: Operation) -> MeasuredEffects.Levels {
    let base = score(operation, side: .base), finetuned = score(operation, side: .finetuned)
    // JSON knows no infinity; what is not finite is no effect.
    return MeasuredEffects.Levels(
      base: base.isFinite ? base : plain.base,
      finetuned: finetuned.isFinite ? finetuned : plain.finetuned)
  }

  private func score(_ operation: Operation, side: ModelPair.Side) -> Double {
    let model = pair.model(side), sign: Float = side == .base ? 1 : -1
    switch operation {
    case .steer(let layer, let direction):
      return behavior.score(
        model, editing: [.steer(.residualPost(layer: layer), along: direction, factor: sign)])
    case .project(let layer, let unit, let random):
      let site = ActivationSite.residualPost(layer: layer)
      let own = activations(side, at: site)
      let target = activations(side == .base ? .finetuned : .base, at: site)
      let steps = matrixProduct(target - own, unit.reshaped([unit.count, 1]))
      let moves = matrixProduct(steps, random.reshaped([1, random.count]))
      return behavior.score(model, editing: [.patch(site, with: own + moves)])
    case .patch(let site, let noise):
      let recording = patchRecording(site, side: side, noise: noise)
      return behavior.score(model, editing: [.patch(site, with: recording)])
    case .weights(let changes):
      var edited = model
      for (name, change) in changes {
        edited.parameters[name] = edited.parameters[name] + change.scaled(by: sign)
      }
      return behavior.score(edited)
    }
  }

  // Not the pair's own recordings: those of the base are kept for all pairs, and no other has these probes.
  private func activations(_ side: ModelPair.Side, at site: ActivationSite) -> Tensor {
    if let known = state.withLock({ $0.activations[side]?[site] }) { return known }
    let recording = pair.model(side).forward(behavior.batch, recording: [site])[site]
    state.withLock { $0.activations[side, default: [:]][site] = recording }
    return recording
  }

  /// The other model's activations on the probes, or as large a change in random directions.
  private func patchRecording(_ site: ActivationSite, side: ModelPair.Side, noise: UInt64?)
    -> Tensor
  {
    let target = activations(side == .base ? .finetuned : .base, at: site)
    guard let noise else { return target }
    let own = activations(side, at: site)
    var generator = SeededGenerator(seed: noise)
    let moves = (target - own).rowNorms.flatMap {
      generator.direction(own.columns, norm: $0).scalars
    }
    return own + Tensor(shape: own.shape, scalars: moves)
  }
}
