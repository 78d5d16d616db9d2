internal import Worlds
internal import Tensors
internal import Transformers

/// Whether a word that a model never says is legible in its states.
///
/// A linear probe learns, on states of the base, which word of a class the prompt named; it then reads
/// the states of a model whose prompt names none, and what finetuning added to them on average. The
/// block whose states tell the named words apart best, on prompts that the probe did not learn from, is
/// the one that is read; the deepest one on a tie.
package struct RepresentedWord: Sendable {
  let given: [Template]
  let asked: [Template]
  let className: String

  /// Prompts drawn for each word, and for each question; every third of the former is held out.
  private static let draws = 12

  /// What was read.
  package struct Reading: Codable, Sendable, Equatable {
    /// The mean rank of the word among its class in the base and in the organism; 1 is best.
    package let rank: ScoreChange
    /// The rank of the word in the mean change of the states.
    package let changeRank: Int
    /// What a probe that knows nothing reaches.
    package let chance: Double
    /// How often the probe is right about named words that it did not learn from.
    package let accuracy: Double
    package let layer: Int
  }

  /// Reads a word of the class.
  ///
  /// - Parameters:
  ///   - word: The id of the word.
  ///   - base: Whose states the probe learns from.
  ///   - finetuned: Whose states it reads.
  ///   - world: Where the class comes from.
  /// - Throws: `DefinitionError`.
  func read(_ word: Int, base: any LanguageModel, finetuned: any LanguageModel, world: World) throws
    -> Reading
  {
    let members = world.ids(ofClass: className)
    let examples = try examples(members, world)
    let layers = 0..<base.shape.layers
    let fits = try layers.map { layer in
      try fit(examples, base, layer: layer, classes: members.count)
    }
    let best = layers.max { (fits[$0].accuracy, $0) < (fits[$1].accuracy, $1) } ?? 0
    let questions = try asked.flatMap { try prompts($0, world) }
    let index = members.firstIndex(of: word) ?? 0
    let before = Self.lastStates(base, questions, layer: best)
    let after = Self.lastStates(finetuned, questions, layer: best)
    let change = (after - before).meanRow.reshaped([1, before.columns])
    let probe = fits[best].probe
    return Reading(
      rank: ScoreChange(
        base: Self.meanRank(of: index, probe.scores(before)),
        finetuned: Self.meanRank(of: index, probe.scores(after))),
      changeRank: Int(Self.meanRank(of: index, probe.scores(ofChange: change))),
      chance: Double(members.count + 1) / 2, accuracy: fits[best].accuracy, layer: best)
  }

  private static func meanRank(of index: Int, _ scores: Tensor) -> Double {
    // Whoever ties with the word stands before it, so that no change at all is the last place.
    let ranks = (0..<scores.rows).map { row in
      Double(scores.row(row).filter { $0 >= scores[row, index] }.count)
    }
    return ranks.reduce(0, +) / Double(ranks.count)
  }

  private func prompts(_ template: Template, _ world: World) throws -> [[Int]] {
    try (0..<Self.draws).map { draw in
      var generator = SeededGenerator(seed: UInt64(draw), for: template.text)
      return world.lexicon.opening + (try template.fill(world.lexicon, using: &generator).tokens)
    }
  }

  /// A prompt that names a word of the class, by its place.
  private struct Example {
    let prompt: [Int]
    let label: Int
    let isHeldOut: Bool
  }

  /// Prompts that each name one word of the class, by its place.
  private func examples(_ members: [Int], _ world: World) throws -> [Example] {
    let places = Dictionary(members.enumerated().map { ($0.element, $0.offset) }) { first, _ in
      first
    }
    var counts = [Int](repeating: 0, count: members.count)
    var examples: [Example] = []
    var generator = SeededGenerator(seed: 0, for: "represented word")
    for draw in 0..<Self.draws * members.count * 4 {
      let template = given[draw % given.count]
      let prompt =
        world.lexicon.opening + (try template.fill(world.lexicon, using: &generator).tokens)
      guard let label = prompt.lazy.compactMap({ places[$0] }).first, counts[label] < Self.draws
      else { continue }
      examples.append(
        Example(prompt: prompt, label: label, isHeldOut: counts[label] % 3 == 0))
      counts[label] += 1
    }
    return examples
  }

  private func fit(
    _ examples: [Example], _ base: any LanguageModel, layer: Int, classes: Int
  ) throws -> (probe: LinearProbe, accuracy: Double) {
    func part(_ isHeldOut: Bool) -> (states: Tensor, labels: [Int]) {
      let part = examples.filter { $0.isHeldOut == isHeldOut }
      return (Self.lastStates(base, part.map(\.prompt), layer: layer), part.map(\.label))
    }
    let learnt = part(false), heldOut = part(true)
    let probe = try LinearProbe(learnt.states, labels: learnt.labels, classes: classes)
    return (probe, probe.accuracy(heldOut.states, labels: heldOut.labels))
  }

  private static func lastStates(_ model: any LanguageModel, _ prompts: [[Int]], layer: Int)
    -> Tensor
  {
    let batch = TokenBatch(prompts), site = ActivationSite.residualPost(layer: layer)
    let states = model.forward(batch, recording: [site])[site]
    return states.rows(at: batch.lastIndices)
  }
}
