package import Bench
package import Diffing
internal import JSON
internal import Reporting
internal import Scoring
package import Transformers

/// Two models as one page: what each method said of them and saw, and both models on the prompts where they differ most.
package struct PairPage {
  /// What the page says of the pair itself.
  package struct Names {
    let title: String
    let base, finetuned: String
    let notices: [String]

    /// - Parameters:
    ///   - title: The heading.
    ///   - base: What the base is called.
    ///   - finetuned: What the finetuned model is called.
    ///   - notices: What is to be known of the folders, each in a sentence.
    package init(title: String, base: String, finetuned: String, notices: [String]) {
      self.title = title
      self.base = base
      self.finetuned = finetuned
      self.notices = notices
    }
  }

  /// What one method said.
  package struct Answer {
    let card: MethodCard
    let access: AccessLevel
    let evidence: Evidence
    let standing: String?
    let seconds: Double
    let work: Work

    /// - Parameters:
    ///   - card: The method's.
    ///   - access: What it looked at.
    ///   - evidence: What it said.
    ///   - standing: What its magnitude is worth.
    ///   - seconds: How long it took.
    ///   - work: What the models read for it.
    package init(
      card: MethodCard, access: AccessLevel, evidence: Evidence, standing: String?,
      seconds: Double, work: Work
    ) {
      self.card = card
      self.access = access
      self.evidence = evidence
      self.standing = standing
      self.seconds = seconds
      self.work = work
    }
  }

  private let names: Names
  private var words: WordTable
  private var answers: [JSONValue] = []
  private var parts: [(name: String, json: String)] = []
  private var texts: [(String, JSONValue)] = []
  private var sideBySide = JSONValue.null, investigation = JSONValue.null
  private var notices: [String]
  private static let claims = EvidenceData(top: 20)

  /// - Parameters:
  ///   - names: What the page says of the pair.
  ///   - tokenizer: Knows the words of token ids; without it they are numbers.
  package init(_ names: Names, tokenizer: (any Tokenizer)?) {
    self.names = names
    notices = names.notices
    words = WordTable(tokenizer)
  }

  /// Adds what a method said.
  ///
  /// - Parameters:
  ///   - answer: What it said.
  ///   - text: The rows that its input claims refer to.
  package mutating func add(_ answer: Answer, text: TokenBatch) {
    let access = answer.access.rawValue, key = "\(answer.card.id)@\(access)"
    if answer.evidence.inputs != nil, !texts.contains(where: { $0.0 == access }) {
      texts.append((access, rows(text)))
    }
    answers.append(
      .object([
        ("method", .string(answer.card.id)), ("access", .string(access)), ("key", .string(key)),
        ("summary", .string(answer.card.summary)), ("source", .string(answer.card.source)),
        ("unit", answer.card.magnitude.map { .string($0.unit) } ?? .null),
        ("formula", answer.card.magnitude.map { .string($0.formula) } ?? .null),
        ("standing", answer.standing.map(JSONValue.string) ?? .null),
        ("said", Self.claims.json(answer.evidence, &words)),
        ("seconds", .digits(answer.seconds)), ("tokens", .count(answer.work.tokensForward)),
        ("backward", .count(answer.work.tokensBackward)),
        ("exhibits", .count(answer.evidence.exhibits.count)),
      ]))
    guard !answer.evidence.exhibits.isEmpty else { return }
    var data = ExhibitData(words: words)
    let exhibits = answer.evidence.exhibits.map { data.json($0) }
    words = data.words
    parts.append((key, JSON.plainText(of: .array(exhibits))))
  }

  private mutating func rows(_ text: TokenBatch) -> JSONValue {
    let frame = RowFrame(text)
    return .array((0..<text.rows).map { words.places(frame.within(Array(text.row($0)))) })
  }

  /// Takes the tokens of what is added from now on for another tokenizer's.
  package mutating func use(_ tokenizer: any Tokenizer) {
    words.tokenizer = tokenizer
  }

  /// Adds what is to be known of the comparison, in a sentence: a method that gave no answer, or was not asked.
  package mutating func add(notice: String) { notices.append(notice) }

  /// Adds what an investigator asked, came to believe, and says.
  ///
  /// - Parameters:
  ///   - report: What it found.
  ///   - prompts: The prompts that it could ask.
  package mutating func add(_ report: InvestigationReport, prompts: [[Int]]) {
    let frame = RowFrame(TokenBatch(prompts))
    let text = InvestigationText(report, tokenizer: words.tokenizer, prompts: prompts)
    investigation = .object([
      ("says", .string(text.sentences)), ("evidence", .string(report.arm.source.description)),
      (
        "steps",
        .array(
          report.finding.steps.map { step in
            .object([
              ("purpose", .string(step.purpose.rawValue)),
              ("prompt", words.places(frame.within(prompts[step.question.row]))),
              ("module", step.question.module.map { .string($0.description) } ?? .null),
              (
                "hypothesis",
                step.hypothesis.map {
                  .array([words.place($0.token), .count($0.sign)])
                } ?? .null
              ), ("gain", .digits(Double(step.gain))),
              (
                "best",
                .array(
                  step.best.map { share in
                    .array([
                      words.place(share.hypothesis.token), .count(share.hypothesis.sign),
                      .digits(share.probability),
                    ])
                  })
              ), ("nothing", .digits(step.nothing)),
            ])
          })
      ),
    ])
  }

  /// Adds both models on the same prompts.
  package mutating func add(_ view: SideBySide) {
    let prompts = view.prompts.map { prompt($0) }
    sideBySide = .object([
      ("read", .count(view.readCount)), ("all", .count(view.allCount)),
      ("prompts", .array(prompts)),
    ])
  }

  private mutating func prompt(_ prompt: SideBySide.Prompt) -> JSONValue {
    .object([
      ("row", .count(prompt.row)), ("tokens", words.places(prompt.tokens)),
      ("divergences", .array(prompt.divergences.map { .digits($0) })),
      ("pinned", words.places(prompt.pinned)), ("base", reading(prompt.base)),
      ("finetuned", reading(prompt.finetuned)),
      (
        "heads",
        .array(
          prompt.heads.map { head in
            .object([
              ("name", .string("block \(head.layer), head \(head.head)")),
              ("change", .digits(head.change)), ("base", Self.pattern(head.base)),
              ("finetuned", Self.pattern(head.finetuned)),
            ])
          })
      ),
    ])
  }

  private mutating func reading(_ reading: SideBySide.Reading) -> JSONValue {
    .object([
      ("next", .array(reading.next.map { expectations($0) })),
      ("lens", .array(reading.lens.map { expectations($0) })),
      ("ranks", .array(reading.ranks.map { .array($0.map { .counts($0) }) })),
    ])
  }

  private mutating func expectations(_ list: [SideBySide.Expectation]) -> JSONValue {
    .array(list.map { .array([words.place($0.token), .digits($0.probability)]) })
  }

  /// Rows of a pattern, each as long as what it may look at, in hundredths.
  private static func pattern(_ pattern: [[Float]]) -> JSONValue {
    .array(
      pattern.enumerated().map { query, row in
        .counts(row.prefix(query + 1).map { Int(($0 * 100).rounded()) })
      })
  }

  /// The file's text.
  ///
  /// - Throws: `MissingBundle`.
  package func html() throws -> String {
    let data: JSONValue = .object([
      ("kind", .string("pair")), ("title", .string(names.title)),
      ("base", .string(names.base)), ("finetuned", .string(names.finetuned)),
      ("notices", .texts(notices)), ("answers", .array(answers)),
      ("texts", .object(texts)), ("investigation", investigation), ("sideBySide", sideBySide),
      ("words", words.json),
    ])
    return try Page(title: names.title, data: data, parts: parts).html()
  }
}
