internal import Scoring
package import Transformers

/// What an investigator found, with its words, as JSON has it.
package struct InvestigationRecord: Codable, Sendable {
  /// A token that is said to have moved.
  package struct Hypothesis: Codable, Sendable {
    package let token: Int
    package let word: String?
    /// 1 for likelier, -1 for less likely.
    package let sign: Int
    /// What is believed of it; nil in a verdict.
    package let probability: Double?
  }

  /// One question with what was believed afterwards.
  package struct Step: Codable, Sendable {
    package let purpose: String
    package let prompt: Int
    /// What was exchanged; nil where nothing was.
    package let module: ModuleSite?
    /// What is tested, or is likeliest while one is looked for; nil while no token moved.
    package let hypothesis: Hypothesis?
    /// How far its token moved in its direction, as a difference of probabilities.
    package let gain: Float
    package let best: [Hypothesis]
    package let nothing: Double
  }

  package let evidence: String
  package let budget: Int
  package let hypothesis: Hypothesis?
  package let prompt: Int?
  package let module: ModuleSite?
  /// In nats; without questions, a method's magnitude in its own unit; nil if nothing was found or tested.
  package let strength: Double?
  /// How many null pairs the strength is compared with, and whose they are.
  package let nulls: Int
  package let nullsOrigin: String
  /// The chance of so much strength among them; nil without any.
  package let chance: Double?
  package let level: Double
  /// Whether it says that something was planted; nil if it cannot say how often that would be wrong.
  package let isPlanted: Bool?
  package let steps: [Step]
}

extension InvestigationRecord {
  /// - Parameters:
  ///   - report: What was found.
  ///   - tokenizer: Knows the words of token ids.
  package init(_ report: InvestigationReport, tokenizer: (any Tokenizer)?) {
    func named(_ hypothesis: Belief.Hypothesis, _ probability: Double? = nil) -> Hypothesis {
      Hypothesis(
        token: hypothesis.token, word: tokenizer?.word(hypothesis.token), sign: hypothesis.sign,
        probability: probability)
    }
    let finding = report.finding
    self.init(
      evidence: report.arm.source.description, budget: report.arm.budget,
      hypothesis: finding.hypothesis.map { named($0) }, prompt: finding.row, module: finding.site,
      strength: finding.strength, nulls: report.nulls.count, nullsOrigin: report.nullsOrigin,
      chance: report.chance, level: report.level, isPlanted: report.verdict?.asserts,
      steps: finding.steps.map { step in
        Step(
          purpose: step.purpose.rawValue, prompt: step.question.row, module: step.question.module,
          hypothesis: step.hypothesis.map { named($0) }, gain: step.gain,
          best: step.best.map { named($0.hypothesis, $0.probability) },
          nothing: step.nothing)
      })
  }
}
