internal import Files
internal import Foundation
internal import Tensors
package import Transformers

/// Finetunes of a base in which nothing is planted: each is trained on ordinary text about one thing.
///
/// They change what a pair's finetune changed, in its parametrisation, and lie as far from the base; so what a method
/// says of them is what it says of training as such.
package struct BenignFinetunes {
  private let models: PairFolders
  private let change: ChangeShape
  private let texts: BenignTexts
  private let store: URL

  /// Describes the finetunes that are comparable with a pair's.
  ///
  /// - Parameters:
  ///   - project: Whose texts are read, and whose cache keeps finetunes.
  ///   - models: The pair.
  /// - Throws: `CalibrationError` if the pair is one model, or has no text that it reads.
  package init(_ project: Project, _ models: PairFolders) throws {
    self.models = models
    change = try ChangeShape(models)
    texts = try BenignTexts(project, models)
    store = project.cache.appending(path: "benign")
      .appending(path: change.digest(models.base.weightsDigest, texts))
  }

  /// A finetune that was trained, or that an earlier call has kept.
  ///
  /// - Parameters:
  ///   - index: Decides its text and what is drawn, counted from 0.
  ///   - progress: Told after each step.
  /// - Returns: The pair of the base and the finetune, and how many times its change was made as large.
  /// - Throws: `DefinitionError`, or `FileError.unwritable` if it cannot be kept.
  package func pair(_ index: Int, progress: (TrainingStatus) -> Void) throws -> (
    pair: PairFolders, scale: Float
  ) {
    let folder = store.appending(path: "\(index)")
    let trained = try kept(folder) ?? train(index, into: folder, progress)
    let scale = change.size / max(change.size(of: trained, models.base), .leastNormalMagnitude)
    return (models.with(finetuned: change.scaled(trained, of: models.base, by: scale)), scale)
  }

  private func kept(_ folder: URL) -> (any LanguageModel)? {
    guard FileManager.default.fileExists(atPath: folder.path) else { return nil }
    if change.isLowRank {
      return (try? PEFTAdapter.changes(folder, base: models.base))?.model
    }
    // A damaged one is trained anew.
    guard let model = try? HuggingFaceFolder.read(folder).model,
      model.parameters.layout == models.base.parameters.layout
    else { return nil }
    return models.base.with(model.parameters)
  }

  /// Trains until the change is as large as the pair's, or for so many steps; the rest is a matter of scale.
  private func train(_ index: Int, into folder: URL, _ progress: (TrainingStatus) -> Void) throws
    -> any LanguageModel
  {
    let rows = try texts.rows(index)
    var generator = SeededGenerator(seed: UInt64(index), for: "benign finetune")
    let trainer = Trainer(
      models.base, change.adaptation(of: models.base, using: &generator),
      TrainingOptions(learningRate: change.learningRate, steps: Self.steps),
      keepingFactors: true)
    while trainer.step < Self.steps,
      change.size(of: trainer.model, models.base) < change.size
    {
      let order = generator.permutation(rows.count).prefix(Self.rowsPerStep)
      let batch = TrainingBatch(order.map { rows[$0] })
      let loss = trainer.take([(batch, 1)])
      progress(
        TrainingStatus(
          step: trainer.step, steps: Self.steps, loss: loss, tokens: batch.tokens.count))
    }
    if let lora = trainer.lora {
      try PEFTAdapter.write(lora, base: "the base of the pair", to: folder)
    } else {
      try HuggingFaceFolder.write(trainer.model, tokenizer: nil, to: folder)
    }
    return trainer.model
  }

  private static let steps = 100, rowsPerStep = 8
}

/// Why nothing can be calibrated.
package struct CalibrationError: Error, CustomStringConvertible {
  package let description: String
}

/// What a finetune changed and how far it went.
private struct ChangeShape {
  /// The changed tensors, in the order of the layout.
  private let names: [String]
  /// The rank of a change that is kept as factors beside the base; nil if tensors changed as a whole.
  private let rank: Int?
  /// The norm of the change over all tensors.
  let size: Float

  init(_ models: PairFolders) throws {
    let base = models.base.parameters, finetuned = models.finetuned.parameters
    let isLowRank = finetuned.isAdaptation(of: base)
    let changed = base.layout.names.filter {
      isLowRank ? finetuned.update(of: $0) != nil : !finetuned.hasSame($0, as: base)
    }
    let ofBlocks = Set(models.base.names.blocks.flatMap { $0.map(\.name) })
    names = isLowRank ? changed.filter(ofBlocks.contains) : changed
    rank = isLowRank ? names.compactMap { finetuned.update(of: $0)?.left.columns }.max() : nil
    size = Self.size(names, base, finetuned)
    guard size > 0 else {
      throw CalibrationError(
        description: "nothing changed in the blocks, so there is nothing to calibrate.")
    }
  }

  var isLowRank: Bool { rank != nil }
  /// What moves a model as far as narrow finetunes go in some tens of steps.
  var learningRate: Float { isLowRank ? 1e-3 : 1e-4 }

  func size(of model: any LanguageModel, _ base: any LanguageModel) -> Float {
    Self.size(names, base.parameters, model.parameters)
  }

  private static func size(_ names: [String], _ base: Parameters, _ other: Parameters) -> Float {
    let squares = names.reduce(0.0) { sum, name in
      if let update = other.update(of: name) { return sum + update.squaredNorm }
      return sum + squaredDistance(other.matrix(name), base.matrix(name))
    }
    return Float(squares.squareRoot())
  }

  func adaptation(of model: any LanguageModel, using generator: inout SeededGenerator)
    -> Adaptation
  {
    guard let rank else { return .full(Set(names)) }
    return .lora(
      LoRA(
        rank: rank, alpha: Float(2 * rank), targets: names, layout: model.parameters.layout,
        using: &generator))
  }

  /// A finetune with its change made some times as large; of factors one is scaled.
  func scaled(_ model: any LanguageModel, of base: any LanguageModel, by factor: Float)
    -> any LanguageModel
  {
    names.reduce(into: isLowRank ? base : model) { scaled, name in
      if let update = model.parameters.update(of: name) {
        let louder = LowRankUpdate(left: update.left.scaled(by: factor), right: update.right)
        scaled.parameters = scaled.parameters.updated(name, by: louder)
      } else {
        let own = base.parameters.matrix(name), window = scaled.parameters.mutableMatrix(name)
        addDifference(model.parameters.matrix(name), less: own, by: factor - 1, to: window)
      }
    }
  }

  /// What a kept finetune depends on: the base, what changes, and roughly how far.
  func digest(_ base: String, _ texts: BenignTexts) -> String {
    var hash = ContentHash()
    for part in [base, texts.digest, "\(names) \(rank ?? 0)", String(format: "%.1e", size)] {
      hash.mix(part)
    }
    return hash.text
  }
}
