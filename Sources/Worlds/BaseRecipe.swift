internal import Files
internal import JSON
internal import Tensors
package import Transformers

/// How a base is trained from a world.
package struct BaseRecipe: Codable, Sendable, Equatable {
  package var seed: UInt64
  package var width = 64
  package var layers = 3
  package var heads = 4
  package var mlpWidth = 176
  package var rowLength = 64
  package var rows = 32
  package var steps = 1465
  package var learningRate: Float = 4e-3
  package var weightDecay: Float = 0.1
  package var warmUp = 20
  package var finalShare: Float = 0.1

  /// The recipe of a size: 3 million tokens of each.
  package init(seed: UInt64, size: BaseSize = .small) {
    self.seed = seed
    switch size {
    case .small: break
    case .medium: (width, layers, mlpWidth, learningRate) = (128, 4, 352, 3e-3)
    case .large: (width, layers, heads, mlpWidth, learningRate) = (256, 6, 8, 704, 2e-3)
    }
  }

  /// The name under which a base of this recipe is kept.
  package func digest(_ world: World) throws -> String {
    var hash = ContentHash()
    hash.mix(world.corpusDigest)
    hash.mix(try JSON.encode(self))
    return hash.text
  }

  /// The model that training starts from: random weights.
  package func untrained(in world: World) -> any LanguageModel {
    let size = DecoderSize(
      vocabulary: world.tokenizer.count, width: width, layers: layers, heads: heads,
      mlpWidth: mlpWidth, context: 2 * rowLength)
    return Architectures.standard(size, seed: seed)
  }

  /// Trains a base.
  ///
  /// - Parameters:
  ///   - world: What it learns.
  ///   - progress: Told after every step.
  /// - Returns: The base.
  /// - Throws: `DefinitionError` if a template of the world cannot be filled.
  package func train(_ world: World, progress: (TrainingStatus) -> Void = { _ in }) throws
    -> any LanguageModel
  {
    let model = untrained(in: world)
    let trainer = Trainer(
      model, .full(Set(model.parameters.layout.names)),
      TrainingOptions(
        learningRate: learningRate, steps: steps, warmUp: warmUp,
        schedule: .cosine(to: finalShare), weightDecay: weightDecay))
    var corpus = Corpus(world, seed: seed, for: "base corpus")
    for step in 0..<steps {
      let batch = TrainingBatch(try corpus.rows(rows, length: rowLength))
      let loss = trainer.take([(batch, 1)])
      progress(
        TrainingStatus(step: step + 1, steps: steps, loss: loss, tokens: batch.tokens.count))
    }
    return model.with(trainer.model.parameters)
  }
}
