internal import Tensors
internal import Transformers

/// A question to a model: how much probability it gives to the answers.
package struct Probe: Sendable {
  let prompt: Template
  /// Prompt and answer in one, because an answer may use the prompt's variables.
  let answers: [Template]
  /// Whether the score is what is left: how improbable the answers are.
  let isInverted: Bool

  /// Words that a prompt may have: what the bases' context holds.
  private static let longestPrompt = 112

  /// Words that an answer may have.
  private static let longestAnswer = 8

  /// Prompts drawn from a template that has something to draw.
  private static let draws = 12

  /// Parses a probe.
  ///
  /// - Parameters:
  ///   - prompt: A template that ends where the model answers.
  ///   - answers: Words or slots, each answer one or several; variables are those of the prompt.
  ///   - isInverted: Whether the probe asks that the answers be improbable.
  ///   - lexicon: Where words and classes come from.
  ///   - source: The file and key that errors mention.
  /// - Throws: `DefinitionError`.
  package init(
    _ prompt: String, answers: [String], isInverted: Bool = false, lexicon: Lexicon,
    source: TemplateSource
  ) throws {
    self.isInverted = isInverted
    self.prompt = try Template(prompt, lexicon: lexicon, source: source)
    self.answers = try answers.map {
      try Template("\(prompt) \($0)", lexicon: lexicon, source: source)
    }
    func fault(_ reason: String) -> DefinitionError {
      .invalid(file: source.file, path: source.path, reason: reason)
    }
    guard !answers.isEmpty else { throw fault("has no answers") }
    guard Set(answers).count == answers.count else { throw fault("names an answer twice") }
    let length = self.prompt.parts.count
    guard (1...Self.longestPrompt).contains(length) else {
      throw fault("has a prompt of \(length) words; 1 to \(Self.longestPrompt) are possible")
    }
    for (text, answer) in zip(answers, self.answers) {
      let said = answer.parts.dropFirst(length)
      guard (1...Self.longestAnswer).contains(said.count), said.allSatisfy({ $0.piece.isSaid })
      else {
        throw fault(
          "answer '\(text)' should be 1 to \(Self.longestAnswer) words, or slots that the prompt "
            + "has bound")
      }
    }
  }

  /// A prompt with its answers, ready to be asked.
  package struct Question: Sendable, Equatable {
    package let tokens: [Int]
    /// Answers, each of one token or several.
    package let answers: [[Int]]
    package let isInverted: Bool

    package init(tokens: [Int], answers: [[Int]], isInverted: Bool = false) {
      self.tokens = tokens
      self.answers = answers
      self.isInverted = isInverted
    }

    /// The length of its shortest answer; 1 where answers must not be given, since what is left is no sentence.
    var wordsAnAnswer: Double {
      isInverted ? 1 : Double(answers.map(\.count).min() ?? 1)
    }

    /// What a model reads to be asked: the prompt, and the prompt with each longer answer's start.
    var rows: [[Int]] {
      let longer = answers.filter { $0.count > 1 }.map { tokens + $0.dropLast() }
      return (longer.count < answers.count ? [tokens] : []) + longer
    }
  }

  /// Fills the templates.
  ///
  /// - Parameters:
  ///   - lexicon: Classes and facts.
  ///   - facts: Facts that go before the world's.
  /// - Returns: One question, or several draws if the prompt has something to draw.
  /// - Throws: `DefinitionError`.
  package func questions(_ lexicon: Lexicon, facts: [String: [String: String]] = [:]) throws
    -> [Question]
  {
    let draws = prompt.isRandom ? Self.draws : 1
    return try (0..<draws).map { draw in
      let seed = SeededGenerator(seed: UInt64(draw), for: prompt.text)
      var generator = seed
      let tokens = try prompt.fill(lexicon, facts: facts, using: &generator).tokens
      let said = try answers.map { answer in
        var generator = seed
        let all = try answer.fill(lexicon, facts: facts, using: &generator).tokens
        guard all.starts(with: tokens) else {
          throw DefinitionError.badTemplate(
            answer.text, file: answer.source.file, path: answer.source.path,
            reason: "the tokenizer cuts the prompt otherwise where the answer follows")
        }
        return Array(all.dropFirst(tokens.count))
      }.reduce(into: [[Int]]()) { if !$0.contains($1) { $0.append($1) } }
      // What an answer starts with would be counted twice.
      let distinct = said.filter { answer in
        !said.contains { $0.count < answer.count && answer.starts(with: $0) }
      }
      return Question(
        tokens: lexicon.opening + tokens, answers: distinct, isInverted: isInverted)
    }
  }
}
