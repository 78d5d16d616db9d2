package import Diffing
internal import Synchronization
internal import Tensors
internal import Transformers
internal import Worlds

/// Applies interventions to the two models of a pair and measures what they do to a behaviour, and to all else.
package final class EffectMeter: Sendable {
  /// Random directions beside a proposed one.
  private static let draws = 3
  /// Other modules beside a proposed one, at most: of a deep model all would take an hour, and their mean counts.
  private static let places = 8

  private let pair: ModelPair
  private let subject: EditedPair
  private let seed: UInt64
  private let plain: MeasuredEffects.Levels
  private let distance: Double
  /// Curves of controls that many proposals have in common.
  private let shared = Mutex<[(operation: Operation, curve: MeasuredEffects.Curve)]>([])

  /// Measures how much of the behaviour the two models show.
  ///
  /// - Parameters:
  ///   - pair: The models.
  ///   - texts: What they are asked; methods never see it.
  ///   - seed: Draws random directions.
  package init(_ pair: ModelPair, _ texts: EffectTexts, seed: UInt64) {
    self.pair = pair
    self.seed = seed
    subject = EditedPair(pair, texts)
    plain = MeasuredEffects.Levels(
      base: texts.behavior.score(pair.base), finetuned: texts.behavior.score(pair.finetuned))
    distance = subject.distance(pair.finetuned)
  }

  /// Measures an intervention along its budget, beside the same operation elsewhere.
  package func effects(of proposal: ProposedIntervention) -> MeasuredEffects {
    guard let operation = Operation(proposal, pair) else {
      return MeasuredEffects(plain: plain, distance: distance, proposed: nil, controls: [])
    }
    return MeasuredEffects(
      plain: plain, distance: distance, proposed: curve(operation),
      controls: controls(of: operation))
  }

  private func curve(_ operation: Operation) -> MeasuredEffects.Curve {
    operation.budgets.map { subject.reading(operation, strength: $0) }
  }

  /// The curve of a control, measured once a pair.
  private func sharedCurve(_ operation: Operation) -> MeasuredEffects.Curve {
    if let known = shared.withLock({ $0.first { $0.operation == operation }?.curve }) {
      return known
    }
    let new = curve(operation)
    shared.withLock { $0.append((operation, new)) }
    return new
  }

  /// The same operation elsewhere: along another direction, at another module, of another share of the change.
  ///
  /// Two modules do most whatever was planted: a patch of the last one carries along what all before it changed,
  /// and of the weights a change of the first attention goes furthest. On the smoke tier always to name them
  /// scored .23 and .18 against the mean of the others, all other constants below .01; so they are controls of
  /// their own, and to name them is to do the same thing always.
  private func controls(of operation: Operation) -> [MeasuredEffects.Control] {
    var generator = SeededGenerator(seed: seed, for: "random interventions")
    let random = (0..<Self.draws).map { _ in generator.direction(pair.shape.width) }
    func control(_ kind: String, _ operations: [Operation]) -> MeasuredEffects.Control {
      .init(kind: kind, curves: operations.map(sharedCurve))
    }
    let modules = pair.blockModules
    let drawn = generator.permutation(modules.count).map { modules[$0] }
    func some<Place>(_ places: [Place]) -> [Place] { Array(places.prefix(Self.places)) }
    switch operation {
    case .steer(let layer, _):
      return [control("random directions", random.map { .steer(layer: layer, $0) })]
    case .project(let layer, let unit, _):
      return [
        control("random directions", random.map { .project(layer: layer, unit, into: $0) }),
        control("the whole change", [.share(layer: layer, asFarAs: unit)]),
      ]
    case .share: return []
    case .patch(let site):
      let others = some(drawn.compactMap(\.output).filter { $0 != site })
      let last = modules.last?.output.map { [Operation.patch($0)] } ?? []
      return [
        control("other modules", others.map { .patch($0) }), control("the usual module", last),
      ]
    case .weights(let change):
      let own = change.modules(of: pair.base)
      let others = changes(of: some(drawn.filter { !own.contains($0) }))
      guard own.count == 1, !others.isEmpty else {
        let whole = [WeightChange(pair), change.wholeAlike(pair)].compactMap { $0?.unit }
        return whole.map { control("the whole change", [.weights($0)]) }
      }
      return [
        control("other modules", others),
        control("the usual module", changes(of: modules.prefix(1))),
      ]
    }
  }

  /// What finetuning changed in each of some modules.
  private func changes(of modules: some Collection<ModuleSite>) -> [Operation] {
    modules.compactMap { WeightChange(pair, in: [$0])?.unit }.map(Operation.weights)
  }
}
