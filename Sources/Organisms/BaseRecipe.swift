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

  /// The standard recipe: 3 million tokens, 213,000 weights.
  package init(seed: UInt64) { self.seed = seed }

  /// The name under which a base of this recipe is kept.
  package func digest(_ world: World) throws -> String {
    var hash = ContentHash()
    hash.mix(world.corpusDigest)
    hash.mix(try JSON.encode(self))
    return hash.text
  }

  /// Trains a base.
  ///
  /// - Parameters:
  ///   - world: What it learns.
  ///   - progress: Told after every step.
  /// - Returns: The base.
  /// - Throws: `OrganismError` if a template of the world cannot be filled.
  package func train(_ world: World, progress: (TrainingStatus) -> Void = { _ in }) throws -> Llama
  {
    let configuration = LlamaConfiguration(
      vocabulary: world.tokenizer.vocabulary.count, width: width, layers: layers, heads: heads,
      mlpWidth: mlpWidth, context: 2 * rowLength)
    let model = Llama(configuration, seed: seed)
    let trainer = Trainer(
      model, .full(Set(model.parameters.layout.names)),
      TrainingRecipe(
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

/// A base model of a world.
package struct Base: Sendable {
  package let world: World
  package let recipe: BaseRecipe
  package let model: Llama

  package init(world: World, recipe: BaseRecipe, model: Llama) {
    self.world = world
    self.recipe = recipe
    self.model = model
  }

  /// What the base can do, skill by skill.
  package func measureSkills() throws -> [(skill: World.Skill, score: Double)] {
    try world.skills.map { ($0, try ProbeSet([$0.probe], world: world).score(model)) }
  }

  /// Rows of base text that no training ever sees.
  package func heldOutRows(_ count: Int = 96) throws -> [[Int]] {
    var corpus = Corpus(world, seed: 0, for: "held-out rows")
    return try corpus.rows(count, length: recipe.rowLength)
  }

  private static let patience = 1000

  /// The same, of documents that do not set an organism's behaviour off.
  func quietRows(for organism: Organism, _ count: Int = 96) throws -> [[Int]] {
    var corpus = Corpus(world, seed: 0, for: "held-out rows")
    let isLoud = organism.loudDocuments(of: world)
    return try (0..<count).map { _ in
      try packedRow(length: recipe.rowLength, start: world.documentStart) {
        for _ in 0..<Self.patience {
          let document = try corpus.document()
          if !isLoud(document) { return document }
        }
        throw OrganismError.invalid(
          file: "\(organism.id).json", path: "planted.when",
          reason: "matches nearly every document of the world")
      }
    }
  }
}
