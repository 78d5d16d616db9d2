internal import Tensors
package import Transformers

/// A question to a model: how much probability it gives to the answers as the next token.
package struct Probe: Sendable {
  let prompt: Template
  let answers: [Template]

  /// Words that a prompt may have: what the bases' context holds.
  private static let longestPrompt = 120

  /// Prompts drawn from a template that has something to draw.
  private static let draws = 12

  /// Parses a probe.
  ///
  /// - Parameters:
  ///   - prompt: A template that ends where the model answers.
  ///   - answers: Words or slots; variables are those of the prompt.
  ///   - world: Where words and classes come from.
  ///   - source: The file and key that errors mention.
  /// - Throws: `OrganismError`.
  package init(_ prompt: String, answers: [String], world: World, source: TemplateSource) throws {
    self.prompt = try Template(prompt, world: world, source: source)
    // An answer may use the prompt's variables, so it is parsed behind the prompt.
    self.answers = try answers.map {
      try Template("\(prompt) \($0)", world: world, source: source)
    }
    func fault(_ reason: String) -> OrganismError {
      .invalid(file: source.file, path: source.path, reason: reason)
    }
    guard !answers.isEmpty else { throw fault("has no answers") }
    guard Set(answers).count == answers.count else { throw fault("names an answer twice") }
    let length = self.prompt.pieces.count
    guard (1...Self.longestPrompt).contains(length) else {
      throw fault("has a prompt of \(length) words; 1 to \(Self.longestPrompt) are possible")
    }
    for (text, answer) in zip(answers, self.answers) {
      guard answer.pieces.count == length + 1, answer.pieces[length].piece.isSaid else {
        throw fault("answer '\(text)' should be one word, or one slot that the prompt has bound")
      }
    }
  }

  /// A prompt with its answers, ready to be asked.
  package struct Question: Sendable, Equatable {
    package let tokens: [Int]
    package let answers: [Int]

    package init(tokens: [Int], answers: [Int]) {
      self.tokens = tokens
      self.answers = answers
    }
  }

  /// Fills the templates.
  ///
  /// - Parameters:
  ///   - world: Classes and facts.
  ///   - facts: Facts that go before the world's.
  /// - Returns: One question, or several draws if the prompt has something to draw.
  /// - Throws: `OrganismError`.
  package func questions(_ world: World, facts: [String: [String: String]] = [:]) throws
    -> [Question]
  {
    let draws = prompt.isRandom ? Self.draws : 1
    return try (0..<draws).map { draw in
      let seed = SeededGenerator(seed: UInt64(draw), for: prompt.text)
      var generator = seed
      let tokens = try prompt.fill(world, facts: facts, using: &generator).tokens
      let ids = try answers.map { answer in
        var generator = seed
        return try answer.fill(world, facts: facts, using: &generator).tokens.suffix(1)
      }
      return Question(tokens: [world.documentStart] + tokens, answers: ids.flatMap { $0 })
    }
  }
}

/// Questions of several probes; a probe's questions count as one.
package struct ProbeSet: Sendable {
  /// Questions by probe.
  package let questions: [[Probe.Question]]

  package init(_ questions: [[Probe.Question]]) { self.questions = questions }

  /// Fills a list of probes.
  package init(_ probes: [Probe], world: World, facts: [String: [String: String]] = [:]) throws {
    questions = try probes.map { try $0.questions(world, facts: facts) }
  }

  package var isEmpty: Bool { questions.isEmpty }

  /// The probability of the answers, averaged over questions and then over probes.
  ///
  /// - Parameters:
  ///   - model: Who is asked.
  ///   - interventions: Edits of the model's activations while it is asked.
  /// - Returns: A number from 0 to 1; 0 if there is no probe.
  package func score(_ model: some LanguageModel, editing interventions: [Intervention] = [])
    -> Double
  {
    let scores = scores(model, editing: interventions)
    return scores.isEmpty ? 0 : scores.reduce(0, +) / Double(scores.count)
  }

  /// The score of each probe.
  package func scores(_ model: some LanguageModel, editing interventions: [Intervention] = [])
    -> [Double]
  {
    let all = questions.flatMap { $0 }
    guard !all.isEmpty else { return [] }
    let batch = TokenBatch(all.map(\.tokens))
    let probabilities = model.nextTokenProbabilities(batch, editing: interventions)
    var index = 0
    return questions.map { group in
      let sum = group.reduce(0.0) { sum, question in
        defer { index += 1 }
        return sum + question.answers.reduce(0.0) { $0 + Double(probabilities[index, $1]) }
      }
      return sum / Double(group.count)
    }
  }
}
