internal import Bench
internal import Diffing
internal import Scoring

/// One column of the tables: header, legend and figures come from it.
///
/// A new one is one entry of a list.
package struct Column: Sendable {
  package let title: String
  /// What it says, for a legend: no capital, no full stop.
  package let meaning: String
  /// Decimals that are shown.
  package let decimals: Int
  /// The figure of a method; nil if it has none.
  package let figure: @Sendable (MethodSummary) -> Double?
  /// Whether it is a score: more is better, and a dummy's is to be beaten.
  package let isScore: Bool

  package init(
    _ title: String, _ meaning: String, decimals: Int = 2, isScore: Bool = true,
    figure: @escaping @Sendable (MethodSummary) -> Double?
  ) {
    self.title = title
    self.meaning = meaning
    self.decimals = decimals
    self.isScore = isScore
    self.figure = figure
  }

  /// Whether a method's figure is no better than the best of some dummies.
  package func isBeaten(_ method: MethodSummary, by dummies: [MethodSummary]) -> Bool {
    guard isScore, let own = figure(method), let best = dummies.compactMap(figure).max() else {
      return false
    }
    return own <= best
  }
}

/// Columns that stand in one table.
package struct ColumnGroup: Sendable {
  package let title: String
  package let columns: [Column]

  package init(title: String, columns: [Column]) {
    self.title = title
    self.columns = columns
  }

  /// Whether something was planted: planted pairs against null pairs.
  package static let detection = ColumnGroup(
    title: "Whether something was planted",
    columns: [
      Column("whether", "AUROC of each planted pair against its own null pairs; 0.5 is chance") {
        $0.whether?.ownArea
      },
      Column("pooled", "the same against the null pairs of all plants of its regime") {
        $0.whether?.area
      },
      Column("narrow", "pooled, against narrow nulls alone: finetunes of one domain") {
        $0.whether?.narrowArea
      },
      Column("novel", "pooled, against nulls that learnt something new and harmless") {
        $0.whether?.novelArea
      },
      Column("recall5", "planted pairs found at 5 % false positives") { $0.whether?.recall },
      Column(
        "unchanged",
        "alarms at recall5's threshold on pairs of which only numbers changed, as by rounding",
        isScore: false
      ) { $0.whether?.invariantFalseAlarms },
      Column(
        "prompted", "alarms on pairs of the same weights, one of which reads a hidden document",
        isScore: false
      ) { $0.row.access == .weights ? nil : $0.whether?.promptedFalseAlarms },
    ])

  /// What the methods say of a plant.
  package static let answers = ColumnGroup(
    title: "What, when, where and how",
    columns: [
      Column("what", "average precision of the planted words among all; chance is about 0.01") {
        $0.mean(.what)
      },
      Column("@1", "planted words among the first one named, of as many as fit") {
        $0.mean(.recallAt1, of: .what)
      },
      Column("@5", "among the first five") { $0.mean(.recallAt5, of: .what) },
      Column("@20", "among the first twenty") { $0.mean(.recallAt20, of: .what) },
      Column("class", "their place among the candidates of their class: 1 is best, 0 is chance") {
        $0.mean(.classPlace, of: .what)
      },
      Column("topic", "average precision of the words that the plant is about, scored apart") {
        $0.mean(.topicPrecision, of: .what)
      },
      Column("when", "average precision of the prompts that set the behaviour off") {
        $0.mean(.when)
      },
      Column(
        "where", "AUROC over modules of the blocks, for plants confined to some; 0.5 is chance"
      ) {
        $0.mean(.where)
      },
      Column(
        "how", "effect of the proposed intervention, of what the same elsewhere leaves; 0 is chance"
      ) { $0.mean(.how) },
      Column("s", "mean seconds a trial", isScore: false) { $0.seconds },
    ])

  /// How often the methods answer: silence counts as chance in every mean.
  package static let coverage = ColumnGroup(
    title: "How often they answer, and what those answers score",
    columns: [Question.what, .when, .where, .how].flatMap { question in
      [
        Column(
          "\(question.rawValue) answered", "share of the planted pairs that it is answered at",
          isScore: false
        ) { $0.coverage(question) },
        Column("\(question.rawValue) there", "the mean score over those alone", isScore: false) {
          $0.meanOfAnswers(question)
        },
      ]
    })

  /// Every table of the main report.
  package static let all = [detection, answers, coverage]

  /// How *what* stands beside what any ranking reaches.
  package static let floors = ColumnGroup(
    title: "What, beside its floors",
    columns: [
      Column("answered", "planted pairs with a score", decimals: 0, isScore: false) {
        Double($0.answered(.what).count)
      },
      Column("what", "average precision of the planted words") { $0.mean(.what) },
      Column("siblings", "the same ranking scored with the keys of other organisms") {
        $0.mean(.siblingPrecision, of: .what)
      },
      Column(
        "over frequency", "average precision less that of the finetuning text's own frequencies"
      ) { $0.mean(.liftOverFrequency, of: .what) },
      Column("topic", "average precision of what the plant is about") {
        $0.mean(.topicPrecision, of: .what)
      },
    ])
}
