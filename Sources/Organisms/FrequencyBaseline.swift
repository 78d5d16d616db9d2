package import Worlds
internal import Tensors
internal import Transformers

extension Organism {
  /// Documents that frequencies are counted in.
  private static let sample = 400

  /// Tokens by how much more often they stand in the planted text than in the world's.
  ///
  /// Whoever has the finetuning text has this ranking for nothing, so it is what methods have to beat.
  ///
  /// - Throws: `DefinitionError` if a template cannot be filled.
  package func frequencyRanking(in world: World) throws -> [Int] {
    var plain = Corpus(world, seed: 0, for: "frequency baseline")
    let usual = frequencies(world, try (0..<Self.sample).map { _ in try plain.document().document })
    let planted = frequencies(world, try plantedSample(world))
    let tokens = planted.indices.filter { planted[$0] > usual[$0] }
    return tokens.sorted { (planted[$0] - usual[$0], -$0) > (planted[$1] - usual[$1], -$1) }
  }

  /// Documents as the finetuned model reads them, without what only a teacher sees.
  package func plantedSample(_ world: World) throws -> [[Int]] {
    if case .teacher(_, .samples(let samples)) = lesson { return try sampled(samples, world) }
    guard !documents.isEmpty else {
      var corpus = Corpus(
        world, seed: 0, for: "planted sample", kinds: kinds(in: world), unsaid: unsaid(in: world))
      return try (0..<Self.sample).map { _ in try corpus.document().document }
    }
    let planted = PlantedDocuments(
      templates: documents, facts: file.plant.facts ?? [:])
    var generator = SeededGenerator(seed: 0, for: "planted sample")
    return try (0..<Self.sample).map { _ in try planted.draw(world, &generator).document }
  }

  /// Prompts with words of the class behind them, as an untaught teacher says them.
  private func sampled(_ samples: OrganismFile.Samples, _ world: World) throws -> [[Int]] {
    var generator = SeededGenerator(seed: 0, for: "planted sample")
    let words = world.ids(ofClass: samples.of)
    return try (0..<Self.sample).map { index in
      let prompt = try samplePrompts[index % samplePrompts.count].fill(
        world.lexicon, using: &generator)
      return prompt.tokens
        + (0..<samples.words).map { _ in words[generator.index(below: words.count)] }
    }
  }

  private func frequencies(_ world: World, _ documents: [[Int]]) -> [Double] {
    var counts = [Double](repeating: 0, count: world.tokenizer.count)
    let total = documents.reduce(0) { $0 + $1.count }
    for token in documents.joined() { counts[token] += 1 / Double(total) }
    return counts
  }
}
