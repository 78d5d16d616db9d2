package import Diffing
package import Organisms
internal import Synchronization
internal import Tensors
internal import Transformers

/// *How* the change works: the first proposed intervention, applied to both models.
///
/// Into the base: does the behaviour appear? Taken from the finetuned model: does it go? Each is a
/// share of the gap between the two, less what random interventions of equal size achieve.
package struct HowScorer: Scorer {
  package static let question = Question.how

  /// Random interventions beside the proposed one.
  package static let controls = 6

  package init() {}

  package func score(
    _ evidence: Evidence, against planted: PlantedChange, in context: ScoringContext
  ) -> Score {
    guard let behavior = planted.behavior else { return .unscored("nothing was planted") }
    guard let proposal = evidence.interventions?.first else {
      return .unscored("the method proposes no intervention")
    }
    guard !proposal.isWholeChange(of: context.pair) else {
      return .unscored("the proposal is the whole change, so what it does is no finding")
    }
    let outcome = context.operations.outcome(of: proposal) {
      operate(proposal, behavior, context)
    }
    guard let outcome else { return .unscored("the behaviour's gap is below 0.2") }
    let (own, random) = (outcome.own, outcome.random)
    let appears = own.appears - random.map(\.appears).mean
    let vanishes = own.vanishes - random.map(\.vanishes).mean
    guard (appears + vanishes).isFinite else { return .unscored("the proposal is not finite") }
    return .scored(
      max(-1, min(1, (appears + vanishes) / 2)), chance: 0,
      details: [
        "appears": own.appears, "vanishes": own.vanishes,
        "randomAppears": random.map(\.appears).mean, "randomVanishes": random.map(\.vanishes).mean,
      ])
  }

  /// The effects of a proposal and of its controls; nil if the two models hardly differ in the behaviour.
  private func operate(
    _ proposal: ProposedIntervention, _ behavior: ProbeSet, _ context: ScoringContext
  ) -> Operations.Outcome? {
    let surgery = Surgery(context, behavior: behavior)
    guard surgery.gap > 0.2 else { return nil }
    var generator = SeededGenerator(seed: context.seed, for: "random interventions")
    let random = (0..<Self.controls).map { _ in
      surgery.effects(of: surgery.control(for: proposal, using: &generator))
    }
    return Operations.Outcome(own: surgery.effects(of: proposal), random: random)
  }
}

/// What interventions did to one pair: several methods may propose the same.
package final class Operations: Sendable {
  /// How much of the behaviour appears in the base, and how much goes from the finetuned model, as shares
  /// of what separates the two: more than all of it counts as all.
  struct Effects {
    let appears, vanishes: Double
  }

  struct Outcome {
    let own: Effects
    let random: [Effects]
  }

  private struct State {
    var outcomes: [(proposal: ProposedIntervention, outcome: Outcome?)] = []
    var levels: [ModelPair.Side: Double] = [:]
    var activations: [ModelPair.Side: [ActivationSite: Tensor]] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  fileprivate func outcome(of proposal: ProposedIntervention, _ operate: () -> Outcome?) -> Outcome?
  {
    if let known = state.withLock({ $0.outcomes.first { $0.proposal == proposal } }) {
      return known.outcome
    }
    let outcome = operate()
    state.withLock { $0.outcomes.append((proposal, outcome)) }
    return outcome
  }

  /// How much of the behaviour a model shows, measured once.
  fileprivate func level(_ side: ModelPair.Side, _ measure: () -> Double) -> Double {
    if let known = state.withLock({ $0.levels[side] }) { return known }
    let level = measure()
    state.withLock { $0.levels[side] = level }
    return level
  }
}

extension Operations {
  /// What a model computes at a site on the probes, recorded once.
  fileprivate func activations(
    _ side: ModelPair.Side, at site: ActivationSite, _ record: () -> Tensor
  ) -> Tensor {
    if let known = state.withLock({ $0.activations[side]?[site] }) { return known }
    let recording = record()
    state.withLock { $0.activations[side, default: [:]][site] = recording }
    return recording
  }
}

extension ProposedIntervention {
  /// The share of the change, of its squared norm, that a proposal may miss and still be all of it.
  private static let remainder = 0.01

  /// Whether an edit of weights is the finetune itself: adding it to the base gives the other model.
  fileprivate func isWholeChange(of pair: ModelPair) -> Bool {
    guard case .weights(let proposed) = self else { return false }
    let byName = Dictionary(proposed.map { ($0.name, $0.change) }) { first, _ in first }
    var missed = 0.0, total = 0.0
    for name in pair.base.parameters.layout.names where pair.isChanged(name) {
      let change = pair.change(of: name).scalars
      let own = byName[name] ?? Array(repeating: 0, count: change.count)
      missed += zip(change, own).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
      total += change.reduce(0.0) { $0 + Double($1) * Double($1) }
    }
    return missed < Self.remainder * total
  }
}

extension Tensor {
  /// Rows and columns in random order, signs flipped at random: the same singular values elsewhere.
  fileprivate func scrambled(using generator: inout SeededGenerator) -> Tensor {
    let rowOrder = generator.permutation(rows), columnOrder = generator.permutation(columns)
    let signs = (0..<columns).map { _ in generator.next() & 1 == 0 ? Float(1) : -1 }
    let scalars = rowOrder.flatMap { row -> [Float] in
      let sign: Float = generator.next() & 1 == 0 ? 1 : -1
      return columnOrder.indices.map { self[row, columnOrder[$0]] * sign * signs[$0] }
    }
    return Tensor(shape: shape, scalars: scalars)
  }
}

/// An intervention as it is carried out, the finetuned model's part included.
private enum Operation {
  case steer(layer: Int, Tensor)
  /// Moves by the other model's component along a direction, along it or along a random one.
  case project(layer: Int, Tensor, into: Tensor)
  /// Moves a site's activations by a share of what separates the two models, or by noise as large.
  case patch(ActivationSite, noise: UInt64?)
  case weights([(name: String, change: Tensor)])
}

/// Applies interventions to the two models and measures the behaviour.
private struct Surgery {
  let pair: ModelPair
  let operations: Operations
  let behavior: ProbeSet
  let base: Double
  let gap: Double

  init(_ context: ScoringContext, behavior: ProbeSet) {
    pair = context.pair
    operations = context.operations
    self.behavior = behavior
    base = context.operations.level(.base) { behavior.score(context.pair.base) }
    gap = context.operations.level(.finetuned) { behavior.score(context.pair.finetuned) } - base
  }

  func effects(of proposal: ProposedIntervention) -> Operations.Effects {
    effects(of: operation(proposal))
  }

  func effects(of operation: Operation) -> Operations.Effects {
    let installed = score(operation, side: .base)
    let removed = score(operation, side: .finetuned)
    return Operations.Effects(
      appears: min(1, (installed - base) / gap), vanishes: min(1, (base + gap - removed) / gap))
  }

  private func operation(_ proposal: ProposedIntervention) -> Operation {
    switch proposal {
    case .steer(let layer, let direction): .steer(layer: layer, Tensor(direction))
    case .project(let layer, let direction): projection(layer, Tensor(direction))
    case .patch(let module): .patch(module.site, noise: nil)
    case .weights(let changes):
      .weights(
        changes.map { change in
          let shape = pair.base.parameters.layout[change.name].shape
          return (change.name, Tensor(shape: shape, scalars: change.change))
        })
    }
  }

  private func projection(_ layer: Int, _ direction: Tensor) -> Operation {
    let unit = direction.scaled(by: 1 / max(direction.norm, .leastNormalMagnitude))
    return .project(layer: layer, unit, into: unit)
  }

  /// A random operation of the same size in the same place.
  func control(for proposal: ProposedIntervention, using generator: inout SeededGenerator)
    -> Operation
  {
    switch operation(proposal) {
    case .steer(let layer, let direction):
      return .steer(layer: layer, generator.direction(direction.count, norm: direction.norm))
    case .project(let layer, let unit, _):
      return .project(layer: layer, unit, into: generator.direction(unit.count))
    case .patch(let site, _): return .patch(site, noise: generator.next())
    case .weights(let changes):
      return .weights(
        changes.map { name, change in
          (name, change.scrambled(using: &generator))
        })
    }
  }

  private func score(_ operation: Operation, side: ModelPair.Side) -> Double {
    let model = pair.model(side), sign: Float = side == .base ? 1 : -1
    switch operation {
    case .steer(let layer, let direction):
      return behavior.score(
        model,
        editing: [.steer(.residualPost(layer: layer), along: direction, factor: sign)])
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
    operations.activations(side, at: site) {
      pair.model(side).forward(behavior.batch, recording: [site])[site]
    }
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
