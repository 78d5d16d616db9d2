internal import Foundation
internal import Tensors

/// A density that can be sampled from.
protocol Density: Sendable {
  /// How many numbers a point has.
  var dimension: Int { get }
  /// The logarithm of the density at a point, up to a constant.
  ///
  /// - Parameter gradient: Gets the derivative by each of the point's numbers.
  func logarithm(_ point: [Double], gradient: inout [Double]) -> Double
}

/// The no-U-turn sampler: Hamiltonian Monte Carlo whose paths end where they turn back (Hoffman & Gelman, 2014), with states
/// drawn by their weight from the whole path (Betancourt, 2017, appendix A).
///
/// The step size is adapted by dual averaging, the mass, one number a coordinate, over windows that double, as in Stan.
struct NoUTurnSampler<Target: Density> {
  private let target: Target
  private let settings: SamplerSettings
  private var inverseMass: [Double]
  private var stepSize = 1.0
  private var generator: SeededGenerator

  /// A loss of energy of this much means that the steps do not follow the density any more.
  private static var divergence: Double { 1000 }

  init(_ target: Target, seed: UInt64, settings: SamplerSettings = SamplerSettings()) {
    self.target = target
    self.settings = settings
    inverseMass = [Double](repeating: 1, count: target.dimension)
    generator = SeededGenerator(seed: seed, for: "no-u-turn")
  }

  /// Samples one chain, from a start drawn near the origin.
  mutating func chain() -> Chain {
    var state = start()
    stepSize = reasonableStep(state)
    var warmup = Warmup(settings, dimension: target.dimension, step: stepSize)
    var chain = Chain()
    for iteration in 0..<settings.warmup + settings.draws {
      let move = transition(from: state)
      state = move.state
      guard iteration < settings.warmup else {
        chain.record(state.point, energy: move.energy, isDivergent: move.isDivergent)
        continue
      }
      if let mass = warmup.record(state.point, acceptance: move.acceptance) {
        inverseMass = mass
        stepSize = reasonableStep(state)
        warmup.restart(step: stepSize)
      }
      stepSize = iteration + 1 < settings.warmup ? warmup.step : warmup.finalStep
    }
    return chain
  }

  // MARK: Starting

  private mutating func start() -> PathState {
    var gradient = [Double](repeating: 0, count: target.dimension)
    for _ in 0..<100 {
      let point = (0..<target.dimension).map { _ in 4 * generator.uniform() - 2 }
      let density = target.logarithm(point, gradient: &gradient)
      guard density.isFinite else { continue }
      return PathState(
        point: point, momentum: gradient.map { _ in 0 }, gradient: gradient, logDensity: density)
    }
    preconditionFailure("The density is nowhere finite near the origin")
  }

  private mutating func drawMomentum(_ state: inout PathState) {
    for index in state.momentum.indices {
      state.momentum[index] = generator.normal() / inverseMass[index].squareRoot()
    }
  }

  /// A step size at which one step is accepted in about eight of ten cases.
  private mutating func reasonableStep(_ state: PathState) -> Double {
    var step = stepSize
    let isShort = gain(step, state) > log(0.8)
    for _ in 0..<60 {
      step *= isShort ? 2 : 0.5
      if (gain(step, state) > log(0.8)) != isShort { break }
    }
    return step
  }

  /// The energy that one step gains.
  private mutating func gain(_ step: Double, _ state: PathState) -> Double {
    var next = state
    drawMomentum(&next)
    let before = next.energy(inverseMass)
    next.leap(step, inverseMass, target)
    return before - next.energy(inverseMass)
  }

  // MARK: Paths

  /// What one iteration gave.
  private struct Move {
    var state: PathState
    var energy: Double
    var acceptance = 0.0
    var isDivergent = false
  }

  /// What the steps of an iteration add up to.
  private struct Tally {
    let energy: Double
    var accepted = 0.0, steps = 0.0
    var isDivergent = false
  }

  private mutating func transition(from state: PathState) -> Move {
    var start = state
    drawMomentum(&start)
    var tally = Tally(energy: start.energy(inverseMass))
    var path = NoUTurnPath(start, logWeight: 0)
    var ends = (early: start, late: start)
    for depth in 0..<settings.depthLimit {
      let isForward = generator.uniform() < 0.5
      let part =
        isForward
        ? extend(&ends.late, depth, stepSize, &tally)
        : extend(&ends.early, depth, -stepSize, &tally)
      guard let part else { break }
      if log(generator.uniform()) < part.logWeight - path.logWeight { path.sample = part.sample }
      guard path.join(part, isForward: isForward, inverseMass) else { break }
    }
    return Move(
      state: path.sample, energy: path.sample.energy(inverseMass),
      acceptance: tally.accepted / max(1, tally.steps), isDivergent: tally.isDivergent)
  }

  /// Goes on from one end of a path by 2^depth steps.
  ///
  /// - Returns: Nil if a part of it turns back or diverges.
  private mutating func extend(
    _ end: inout PathState, _ depth: Int, _ step: Double, _ tally: inout Tally
  ) -> NoUTurnPath? {
    guard depth > 0 else { return leap(&end, step, &tally) }
    guard var path = extend(&end, depth - 1, step, &tally),
      let part = extend(&end, depth - 1, step, &tally)
    else { return nil }
    let total = LogSum.of(path.logWeight, part.logWeight)
    if log(generator.uniform()) < part.logWeight - total { path.sample = part.sample }
    return path.join(part, isForward: step > 0, inverseMass) ? path : nil
  }

  private func leap(_ end: inout PathState, _ step: Double, _ tally: inout Tally) -> NoUTurnPath? {
    end.leap(step, inverseMass, target)
    let loss = end.energy(inverseMass) - tally.energy
    tally.steps += 1
    tally.accepted += min(1, exp(-loss))
    guard loss < Self.divergence else {
      tally.isDivergent = true
      return nil
    }
    return NoUTurnPath(end, logWeight: -loss)
  }
}
