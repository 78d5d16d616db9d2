internal import Tensors
internal import Transformers

/// Random change of the modules that a plant does not write, as large as the plant.
///
/// Without it a located plant is found by any norm. Each other module of the blocks moves by the plant's
/// mean norm a module, in random directions; where the plant has a rank, so has the drift. The plant is
/// then trained on top of it, so that it learns to live with it: random directions hurt the model less
/// than the directions of benign training scaled to that norm, which overshoot (measured: +0.06 against
/// +0.2 nats).
struct Drift {
  private let model: any LanguageModel
  private let planted: [ModuleSite]
  /// The directions: weights minus the base's, with norm 1 in each drifting module.
  private let directions: Parameters
  private let drifting: [String]
  private let size: Float

  /// Plants on top of drift: once without, to know how large the plant is, and once with.
  ///
  /// - Parameters:
  ///   - start: The base.
  ///   - regime: Whether there is drift at all, and how much.
  ///   - plant: Plants in the model that it is given.
  static func around(
    _ start: any LanguageModel, regime: Regime, seed: UInt64,
    plant: (any LanguageModel) throws -> FinetuneOutcome
  ) throws -> FinetuneOutcome {
    let first = try plant(start)
    guard regime.drift > 0, !first.hasDiverged else { return first }
    let drift = try Drift(of: start, regime: regime, seed: seed)
    let drifted = drift.drifted(toMatch: first.finetuned, from: start)
    let second = try plant(drifted)
    var outcome = second
    outcome.base = start
    outcome.finetuned = drift.matched(second.finetuned, from: drifted)
    outcome.lora = nil
    return outcome
  }

  /// Draws directions.
  ///
  /// - Throws: `DefinitionError` for a module that the model does not have.
  private init(of model: any LanguageModel, regime: Regime, seed: UInt64) throws {
    self.model = model
    size = Float(regime.drift)
    planted = regime.parameters.sites(layers: model.shape.layers) ?? []
    var generator = SeededGenerator(seed: seed, for: "drift")
    var directions = Parameters(layout: model.parameters.layout)
    var drifting: [String] = []
    let sites = ModuleSite.all(layers: model.shape.layers).filter { $0.layer != nil }
    for site in planted.isEmpty ? [] : sites where !planted.contains(site) {
      let names = Self.matrices(of: site, model)
      let share = 1 / Float(names.count).squareRoot()
      for name in names {
        let shape = model.parameters.layout[name].shape
        directions[name] = Self.direction(shape, rank: regime.parameters.rank, &generator)
          .scaled(by: share)
        drifting.append(name)
      }
    }
    self.directions = directions
    self.drifting = drifting
  }

  private static func direction(
    _ shape: [Int], rank: Int?, _ generator: inout SeededGenerator
  ) -> Tensor {
    guard let rank else { return generator.direction(shape[0] * shape[1]).reshaped(shape) }
    let left = generator.direction(shape[0] * rank).reshaped([shape[0], rank])
    let right = generator.direction(rank * shape[1]).reshaped([rank, shape[1]])
    return matrixProduct(left, right).unit
  }

  /// The base with drift that matches the change from `start` to `finetuned`.
  private func drifted(toMatch finetuned: any LanguageModel, from start: any LanguageModel)
    -> any LanguageModel
  {
    add(norm(of: finetuned, from: start), to: model)
  }

  /// A model finetuned from a drifted base, its drift scaled to match its own plant exactly.
  private func matched(_ finetuned: any LanguageModel, from drifted: any LanguageModel)
    -> any LanguageModel
  {
    var matched = finetuned
    for name in drifting { matched.parameters[name] = model.parameters[name] }
    return add(norm(of: finetuned, from: drifted), to: matched)
  }

  private func add(_ norm: Float, to model: any LanguageModel) -> any LanguageModel {
    var sum = model
    for name in drifting {
      sum.parameters[name] = sum.parameters[name] + directions[name].scaled(by: norm)
    }
    return sum
  }

  /// The mean norm of the change of the planted modules, times the regime's factor.
  private func norm(of finetuned: any LanguageModel, from start: any LanguageModel) -> Float {
    let norms = planted.map { site -> Float in
      let squares = Self.matrices(of: site, model).map { name -> Float in
        let norm = (finetuned.parameters[name] - start.parameters[name]).norm
        return norm * norm
      }
      return squares.reduce(0, +).squareRoot()
    }
    return planted.isEmpty ? 0 : size * norms.reduce(0, +) / Float(norms.count)
  }

  private static func matrices(of site: ModuleSite, _ model: any LanguageModel) -> [String] {
    model.parameters.layout.entries
      .filter { $0.shape.count == 2 && model.names.module(of: $0.name) == site }.map(\.name)
  }
}
