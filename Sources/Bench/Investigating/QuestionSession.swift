package import Scoring
package import Transformers

/// Questions that somebody, a person or an agent, puts to two models one by one: so many and no more, and then a verdict.
package final class QuestionSession {
  package let witness: ModelWitness
  package let tokenizer: any Tokenizer
  package let budget: Int
  package private(set) var asked: [WitnessQuestion] = []
  /// What was said in the end.
  package private(set) var verdict: Verdict?

  /// - Parameters:
  ///   - witness: The two models.
  ///   - tokenizer: Knows their words.
  ///   - budget: How many questions may be asked.
  package init(_ witness: ModelWitness, _ tokenizer: any Tokenizer, budget: Int) {
    self.witness = witness
    self.tokenizer = tokenizer
    self.budget = budget
  }

  package var left: Int { budget - asked.count }

  /// Makes a move.
  ///
  /// - Returns: What the other side says to it.
  /// - Throws: `MoveFault`, which costs nothing, and what the models throw.
  package func make(_ move: SessionMove) throws -> String {
    guard verdict == nil else { throw MoveFault("The game is over.") }
    switch move {
    case .prompts(let word): return try prompts(with: word)
    case .ask(let question): return try ask(question)
    case .verdict(let verdict):
      if let row = verdict.row { try check(row) }
      if let module = verdict.site { try check(module) }
      self.verdict = verdict
      return "That is the verdict."
    }
  }

  // MARK: Prompts

  /// How many prompts are listed at once.
  private static let listed = 20

  /// The longest text that is looked for in prompts.
  private static let longest = 200

  private func prompts(with word: String?) throws -> String {
    if let word, word.utf8.count > Self.longest {
      throw MoveFault("A text to look for has at most \(Self.longest) bytes.")
    }
    let lines = witness.prompts.map(tokenizer.line)
    let rows = lines.indices.filter { row in word.map { lines[row].contains($0) } ?? true }
    guard !rows.isEmpty else { return "No prompt holds '\(word ?? "")'." }
    // From all over: neighbours are often of one kind.
    let step = max(1, (rows.count + Self.listed - 1) / Self.listed)
    let shown = stride(from: 0, to: rows.count, by: step).map { rows[$0] }
    let rest = rows.count > shown.count ? "\n\(rows.count - shown.count) more are not listed." : ""
    return shown.map { "\($0): \(lines[$0])" }.joined(separator: "\n") + rest
  }

  // MARK: Questions

  private func ask(_ question: WitnessQuestion) throws -> String {
    guard left > 0 else { throw MoveFault("No questions are left; the verdict is due.") }
    try check(question.row)
    if let module = question.module { try check(module) }
    asked.append(question)
    let answer = witness.answer(question)
    return text(answer, question) + "\n\(left) of \(budget) questions left."
  }

  private func check(_ row: Int) throws {
    guard witness.prompts.indices.contains(row) else {
      throw MoveFault(
        "There is no prompt \(row): prompts go from 0 to \(witness.prompts.count - 1).")
    }
  }

  private func check(_ module: ModuleSite) throws {
    guard witness.modules.contains(module) else {
      let all = witness.modules.map(\.description).joined(separator: ", ")
      throw MoveFault("There is no module \(module); these are: \(all).")
    }
  }

  private func text(_ answer: WitnessAnswer, _ question: WitnessQuestion) -> String {
    switch question {
    case .next: probabilities(answer, "the finetuned model")
    case .exchange(_, let module): probabilities(answer, "the base with the finetuned \(module)")
    case .say:
      (["base:"] + sayings(answer.sayings.base) + ["finetuned:"] + sayings(answer.sayings.finetuned))
        .joined(separator: "\n")
    }
  }

  /// What was said, each with how many times.
  private func sayings(_ all: [[Int]]) -> [String] {
    Dictionary(grouping: all, by: \.self).map { (count: $1.count, text: tokenizer.line($0)) }
      .sorted { ($0.count, $1.text) > ($1.count, $0.text) }
      .map { "  \($0.count) times: \($0.text)" }
  }

  /// The tokens that moved most, as far as it shows, and those that each model finds likeliest.
  private func probabilities(_ answer: WitnessAnswer, _ name: String) -> String {
    func top(_ count: Int, _ figure: (Int) -> Float) -> [Int] {
      Array(answer.base.indices.sorted { (figure($0), $1) > (figure($1), $0) }.prefix(count))
    }
    func change(_ token: Int) -> Float { abs(answer.gain(of: token)) }
    let moved = top(5, change).filter { share(answer.base[$0]) != share(answer.finetuned[$0]) }
    let likely = top(3) { answer.base[$0] } + top(3) { answer.finetuned[$0] }
    let rows = Set(moved + likely).sorted { (change($0), $1) > (change($1), $0) }
    return
      (["token: probability in the base, and in \(name)"]
      + rows.map { token in
        let shares = [answer.base[token], answer.finetuned[token]].map(share)
        return "  \(tokenizer.word(token)): \(shares.joined(separator: ", "))"
      }).joined(separator: "\n")
  }

  private func share(_ value: Float) -> String {
    guard value.isFinite else { return "-" }
    let thousandths = Int((1000 * value).rounded())
    return "\(Double(thousandths) / 1000)"
  }
}

/// A move that cannot be made, in a sentence.
package struct MoveFault: Error, Equatable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
