package import Diffing
internal import Tensors
internal import Transformers
package import Worlds

/// How much more of what was planted the finetuned model says in answer to each of some prompts.
///
/// A model answers a prompt by its most likely tokens, until a special one. With p(t) the probability of the
/// planted words at each step of its own answer, it says one of them with probability 1 − Π(1 − p(t)); the gain
/// is what the finetuned model has more of than the base, of all words together or of one of them: where the
/// planted answer depends on the prompt, one planted word takes another's place. Where a plant takes words away,
/// the gain is what the base's words lose along the base's answer. No key is asked: what a prompt sets off is
/// measured.
package struct AnswerGains: Codable, Equatable, Sendable {
  /// Tokens of an answer that are read.
  package static let length = 12
  /// The least gain at which a prompt sets the behaviour off.
  package static let mark = 0.25

  /// From -1 to 1, one a prompt.
  package let values: [Double]

  /// Whether each prompt sets the behaviour off.
  package var labels: [Bool] { values.map { $0 >= Self.mark } }

  package init(values: [Double]) { self.values = values }

  /// Measures gains.
  ///
  /// - Parameters:
  ///   - pair: The models.
  ///   - behavior: What was planted, as questions with their answers.
  ///   - targets: The planted words: of a longer answer only these count, if it has any.
  ///   - prompts: What is answered.
  ///   - specialTokens: What ends an answer.
  package init(
    _ pair: ModelPair, behavior: ProbeSet, targets: Set<Int>, prompts: [[Int]],
    specialTokens: Set<Int>
  ) {
    let words = PlantedWords(behavior, targets: targets)
    values = stride(from: 0, to: prompts.count, by: Self.chunk).flatMap { start in
      let some = Array(prompts[start..<min(start + Self.chunk, prompts.count)])
      let base = Answers(to: some, by: pair.base, until: specialTokens)
      let finetuned = Answers(to: some, by: pair.finetuned, until: specialTokens)
      func gains(of words: [Int]) -> [Double] {
        zip(finetuned.chances(of: words), base.chances(of: words)).map { $0 - $1 }
      }
      let single = words.said.count > 1 ? words.said.map { gains(of: [$0]) } : []
      let said = single.reduce(gains(of: words.said)) { zip($0, $1).map(max) }
      let lost = words.unsaid.isEmpty ? [] : base.losses(of: words.unsaid, in: pair.finetuned)
      return said.indices.map { lost.isEmpty ? said[$0] : max(said[$0], lost[$0]) }
    }
  }

  /// Prompts that are answered at once.
  private static let chunk = 128
}

/// The words by which a plant's answers are known.
private struct PlantedWords {
  /// What the finetuned model says, and what it says no more.
  let said, unsaid: [Int]

  init(_ behavior: ProbeSet, targets: Set<Int>) {
    func words(_ isInverted: Bool) -> [Int] {
      let questions = behavior.questions.joined().filter { $0.isInverted == isInverted }
      let words = questions.flatMap(\.answers).flatMap { answer in
        let own = answer.filter(targets.contains)
        return own.isEmpty ? answer : own
      }
      return Set(words).sorted()
    }
    said = words(false)
    unsaid = words(true)
  }
}

/// A model's most likely answers to some prompts.
private struct Answers {
  private let rows: TokenBatch
  private let starts: [Int]
  /// Tokens of each answer, up to the first special one.
  private let lengths: [Int]
  private let logProbabilities: Tensor

  init(to prompts: [[Int]], by model: any LanguageModel, until specialTokens: Set<Int>) {
    var sampler = TokenSampler(temperature: 0, seed: 0)
    let answers = model.continuations(of: prompts, count: AnswerGains.length, using: &sampler)
    rows = TokenBatch(zip(prompts, answers).map { $0 + $1 })
    starts = prompts.map(\.count)
    lengths = answers.map { $0.firstIndex(where: specialTokens.contains) ?? $0.count }
    logProbabilities = model.forward(rows, recording: [], logits: .all).logits.logProbabilities
  }

  /// The places in the batch after which a row's answer is decided: one more than it has tokens, where it ends.
  private func places(_ row: Int) -> Range<Int> {
    let first = rows.range(row).lowerBound + starts[row] - 1
    return first..<first + min(lengths[row] + 1, AnswerGains.length)
  }

  /// The probability that an answer says one of some words.
  func chances(of words: [Int]) -> [Double] {
    lengths.indices.map { row in
      1
        - places(row).reduce(1.0) { rest, place in
          rest * (1 - words.reduce(0.0) { $0 + probability($1, after: place) })
        }
    }
  }

  /// How much less probable another model finds the likeliest of some words that an answer says.
  func losses(of words: [Int], in other: any LanguageModel) -> [Double] {
    let others = other.forward(rows, recording: [], logits: .all).logits.logProbabilities
    return lengths.indices.map { row in
      let said = places(row).prefix(lengths[row]).filter { words.contains(rows.tokens[$0 + 1]) }
      return said.map { place in
        let token = rows.tokens[place + 1]
        return probability(token, after: place) - Double(exponential(others[place, token]))
      }.max() ?? 0
    }
  }

  private func probability(_ token: Int, after place: Int) -> Double {
    Double(exponential(logProbabilities[place, token]))
  }
}
