package import Diffing
package import Transformers

/// Decides what was planted in a pair, by fixed rules, from what methods say and a number of questions to both models.
///
/// One half of the questions finds a hypothesis, most of the other tests that one on prompts that were not asked, those first that
/// are most like the one that showed it. How much such a test is worth where nothing was planted, null pairs say, for which the same is
/// done. A sixth asks which module the change is in.
package struct Investigator: Sendable {
  /// How many questions may be asked.
  package let budget: Int
  /// Whether it only hears what the models say, and does not see what they expect.
  package let hearsOnly: Bool

  /// - Parameters:
  ///   - budget: How many questions may be asked.
  ///   - hearsOnly: Whether it only hears what the models say.
  package init(budget: Int, hearsOnly: Bool = false) {
    self.budget = budget
    self.hearsOnly = hearsOnly
  }

  /// One question with what it changed.
  package struct Step: Sendable {
    /// What a question is for.
    package enum Purpose: String, Codable, Sendable {
      case explore, test, place
    }

    package let purpose: Purpose
    package let question: WitnessQuestion
    /// What is tested, or is likeliest while one is looked for; nil while no token moved.
    package let hypothesis: Belief.Hypothesis?
    /// How far its token moved in its direction.
    package let gain: Float
    /// The likeliest hypotheses afterwards, and the probability of nothing.
    package let best: [Belief.Share]
    package let nothing: Double
  }

  /// What it found, before anybody says whether that is much.
  package struct Finding: Sendable {
    /// Nil if no method names a token and none that was asked moved.
    package let hypothesis: Belief.Hypothesis?
    /// What the test is worth: the natural logarithm of the likelihood ratio of the hypothesis over nothing.
    ///
    /// Without a question, what the method measured; nil if neither is there, or nothing was tested.
    package let strength: Double?
    /// The prompt at which the token gained most; without a question, the one that a method names first.
    package let row: Int?
    /// The likeliest module; nil if no method names one and none is likelier than all others together.
    package let site: ModuleSite?
    /// What each question changed; empty unless that was asked for.
    package let steps: [Step]

    package init(
      hypothesis: Belief.Hypothesis?, strength: Double?, row: Int? = nil, site: ModuleSite? = nil,
      steps: [Step] = []
    ) {
      self.hypothesis = hypothesis
      self.strength = strength
      self.row = row
      self.site = site
      self.steps = steps
    }
  }

  /// Asks, and says what was found.
  ///
  /// - Parameters:
  ///   - evidence: What each of some methods said; none if nobody was asked.
  ///   - witness: The two models.
  ///   - notesSteps: Whether the finding tells what each question changed.
  /// - Throws: What the witness throws.
  package func finding(
    _ evidence: [Evidence], _ witness: some Witness, notesSteps: Bool = false
  ) throws -> Finding {
    var inquiry = Inquiry(evidence, witness, hearsOnly: hearsOnly, notesSteps: notesSteps)
    let places = hearsOnly ? 0 : min(budget / 6, witness.modules.count)
    let explored = min(budget / 2, inquiry.explorable)
    try inquiry.explore(explored)
    let hypothesis = inquiry.leading
    if let hypothesis {
      try inquiry.test(hypothesis, budget - explored - places)
      try inquiry.place(hypothesis, places)
    }
    return Finding(
      hypothesis: hypothesis, strength: budget > 0 ? inquiry.strength : Self.magnitude(evidence),
      row: hypothesis.flatMap { inquiry.strongestRow($0) } ?? inquiry.firstNamedRow,
      site: inquiry.likeliestModule, steps: inquiry.steps)
  }

  /// What one method measured; of several the magnitudes do not compare.
  private static func magnitude(_ evidence: [Evidence]) -> Double? {
    evidence.count == 1 ? evidence[0].magnitude : nil
  }
}
