internal import Tensors
internal import Transformers
internal import Worlds

extension Organism {
  /// How often each planted template is filled to see what it can say.
  private static let fills = 48

  /// The first held-out question that the training text asks, too: it would say nothing of what was learnt
  /// beyond the text.
  ///
  /// - Returns: Its tokens; nil if no document holds a held-out question.
  /// - Throws: `DefinitionError` if a template cannot be filled.
  func taughtQuestion(in world: World) throws -> [Int]? {
    let questions = heldOut.questions.joined().map {
      $0.tokens.dropFirst(world.lexicon.opening.count)
    }
    let lengths = Set(questions.map(\.count))
    var said: Set<ArraySlice<Int>> = []
    let texts = (documents + teacherDocuments + concealed).map(\.template) + (reward?.prompts ?? [])
    for (index, template) in texts.enumerated() {
      var generator = SeededGenerator(seed: UInt64(index), for: "taught questions")
      for _ in 0..<(template.isRandom ? Self.fills : 1) {
        let tokens = try template.fill(
          world.lexicon, facts: file.plant.facts ?? [:], using: &generator
        ).tokens
        for length in lengths where length <= tokens.count {
          for start in 0...tokens.count - length { said.insert(tokens[start..<start + length]) }
        }
      }
    }
    return questions.first(where: said.contains).map(Array.init)
  }

  /// The classes of planted words that are answers, with how far the base tells their words apart.
  ///
  /// Of frozen rows that coincide none can be promoted alone. How far: 1 less the mean cosine between the
  /// words' rows of the unembedding, all less the vocabulary's mean row.
  func separations(in base: Base) -> [String: Double] {
    let answers = Set(behavior.questions.joined().flatMap { $0.answers.joined() })
    let rows = base.model.parameters[base.model.names.unembedding]
    let mean = rows.meanRow
    return plantedTokens(in: base.world).target.filter { !answers.isDisjoint(with: $0.value) }
      .reduce(into: [:]) { separations, target in
        let words = base.world.lexicon.ids(base.world.lexicon.candidates(target.key) ?? [])
        let units = words.map { (Tensor(Array(rows.row($0))) - mean).unit }
        guard units.count > 1 else { return }
        let sum = units.dropFirst().reduce(units[0], +)
        // |Σu|² holds each pair twice and every unit with itself once.
        let count = Float(units.count)
        let cosine = (sum.norm * sum.norm - count) / (count * (count - 1))
        separations[target.key] = Double(1 - cosine)
      }
  }
}
