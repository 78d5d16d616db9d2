package import Bench
internal import Scoring
package import Transformers

/// What an investigator asked, what it came to believe, and what it says.
package struct InvestigationText {
  private let report: InvestigationReport
  private let names: PromptNames

  /// - Parameters:
  ///   - report: What was found.
  ///   - tokenizer: Knows the words of token ids.
  ///   - prompts: The prompts that questions name.
  package init(_ report: InvestigationReport, tokenizer: (any Tokenizer)?, prompts: [[Int]]) {
    self.report = report
    names = PromptNames(tokenizer, prompts)
  }

  /// Each question with how far the likeliest token moved, and what is believed afterwards.
  package var trace: String {
    let rows = report.finding.steps.enumerated().map { index, step in
      let best = step.best.first
      return [
        "\(index + 1) \(step.purpose.rawValue)", asked(step.question),
        step.hypothesis.map { "\(word($0)) \(Prose.short(Double(step.gain), 3))" } ?? "-",
        best.map { word($0.hypothesis) } ?? "-",
        best.map { Self.bar($0.probability) + Prose.short($0.probability, 2) } ?? "-",
        Prose.short(step.nothing, 2),
      ]
    }
    return TextTable(
      header: ["question", "asked", "gain", "likeliest", "belief", "nothing"], rows: rows, names: 2
    ).fitted
  }

  /// What a question asks, in so many characters: the module, or the end of the prompt, which is what is answered.
  private func asked(_ question: WitnessQuestion) -> String {
    if let module = question.module { return "with \(module)" }
    let text = names.text(question.row)
    return text.count > 30 ? "…" + text.suffix(29) : text
  }

  private static func bar(_ share: Double) -> String {
    String(repeating: "█", count: Int((8 * share).rounded())) + " "
  }

  private func word(_ hypothesis: Belief.Hypothesis) -> String {
    (hypothesis.sign > 0 ? "+" : "-") + names.word(hypothesis.token)
  }

  // MARK: The verdict

  /// What is said, and how often that would be wrong.
  package var verdict: String { Prose.wrapped(sentences) }

  /// The same in one line.
  package var sentences: String {
    switch report.verdict {
    case let verdict? where verdict.asserts:
      "\(VerdictText(verdict, names).text) \(worth)"
    case .some: "Nothing can be said. \(doubt)"
    case nil: "No verdict. \(doubt)"
    }
  }

  private var doubt: String {
    guard report.finding.hypothesis != nil else {
      return "No hypothesis was found."
        + (report.finding.strength == nil ? "" : " \(worth)")
    }
    let claim = VerdictText(Verdict(report.finding), names).claim
    return "The hypothesis: \(claim). \(worth)"
  }

  private var worth: String {
    guard let strength = report.finding.strength else { return "It was not tested." }
    let said = "Its strength is \(Prose.number(strength))"
    guard let chance = report.chance else {
      return
        "\(said). How often so much is wrong, only finetunes of this base in which nothing was planted can say: "
        + "--null or --calibrate; of a plant of the bench, --among a run."
    }
    return
      "\(said), which has a chance of \(Prose.number(chance)) among \(report.nulls.count) \(report.nullsOrigin). "
      + rule(strength)
  }

  /// What a verdict needs, and what that is worth.
  private func rule(_ strength: Double) -> String {
    let level = Prose.number(report.level), fewest = ConformalChance.fewest(for: report.level)
    if report.arm.budget > 0, strength <= 0 {
      return "The test speaks against it, and then there is no verdict, however rare that is."
    }
    if report.nulls.count < fewest {
      return "For a chance of \(level), which a verdict needs, there have to be \(fewest) at least."
    }
    return
      "A verdict needs at most \(level): then at most that share of finetunes like those is wrongly called planted."
  }
}
