internal import Foundation
internal import Organisms
internal import Transformers
internal import Worlds

/// Makes planted pairs, and puts together those that are kept.
enum PairMaker {
  /// Trains what there is to train.
  ///
  /// - Parameters:
  ///   - subject: What to plant.
  ///   - base: Where.
  ///   - planting: The planting's seed.
  ///   - progress: Told after every step of a training.
  ///   - plant: The pair of a plant, which is made if it is not there.
  static func make(
    _ subject: Subject, in base: Base, planting: UInt64,
    progress: (TrainingStatus) -> Void, plant: (Subject) throws -> PlantedPair
  ) throws -> PlantedPair {
    switch subject {
    case .organism(let organism, let regime):
      return try Planter(base: base, organism: organism, regime: regime, planting: planting)
        .plant(progress: progress)
    case .null(let null):
      guard let match = null.match else { return try null.untrained(base, planting: planting) }
      return try null.make(
        from: base, planting: planting, plant: plant(.organism(match.organism, match.regime)))
    }
  }

  /// Puts a kept pair together: of a LoRA plant the factors are kept, beside its base.
  static func read(_ folder: URL, training: TrainingRecord?, base: Base) throws -> PlantedPair {
    let adapter = folder.appending(path: "adapter_config.json")
    if FileManager.default.fileExists(atPath: adapter.path) {
      return PlantedPair(
        base: base.model, finetuned: base.model,
        lora: try PEFTAdapter.read(folder, base: base.model), training: training)
    }
    let finetuned = try HuggingFaceFolder.read(folder).model
    let widened = finetuned.parameters.layout != base.model.parameters.layout
    return PlantedPair(
      base: widened ? base.model.addingMLPBiases() : base.model, finetuned: finetuned,
      training: training)
  }
}
