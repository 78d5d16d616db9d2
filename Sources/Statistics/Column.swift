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
  /// A figure to stand behind a stroke, such as what chance gives.
  package let reference: (@Sendable (MethodSummary) -> Double?)?

  package init(
    _ title: String, _ meaning: String, decimals: Int = 2,
    reference: (@Sendable (MethodSummary) -> Double?)? = nil,
    figure: @escaping @Sendable (MethodSummary) -> Double?
  ) {
    self.title = title
    self.meaning = meaning
    self.decimals = decimals
    self.figure = figure
    self.reference = reference
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
      Column("whether", "AUROC of planted against null pairs; 0.5 is chance") { $0.whether?.area },
      Column("narrow", "the same against narrow nulls alone: finetunes of one domain") {
        $0.whether?.narrowArea
      },
      Column("recall5", "planted pairs found at 5 % false positives") { $0.whether?.recall },
      Column(
        "fp broad",
        "broad nulls above a threshold that 5 % of the broad nulls of the other bases exceed"
      ) { $0.whether?.falsePositives.broad },
      Column(
        "fp narrow", "narrow nulls above that threshold; above its own base's if there is one base"
      ) { $0.whether?.falsePositives.narrow },
      Column(
        "unchanged",
        "alarms at recall5's threshold on pairs that answer alike: the same, reparameterised, quantised"
      ) { $0.whether?.invariantFalseAlarms },
    ])

  /// What the methods say of a plant.
  package static let answers = ColumnGroup(
    title: "What, when, where and how",
    columns: [
      Column("what", "recall of the planted words among the first 20 named; chance is 0.04") {
        $0.mean(.what)
      },
      Column("topic", "the same of the words that the plant is about, scored apart") {
        $0.mean(.topicRecall, of: .what)
      },
      Column(
        "class rank",
        "mean place of the planted words among the candidates of their class / by chance",
        decimals: 1, reference: { $0.mean(.classChance, of: .what) }
      ) { $0.mean(.classRank, of: .what) },
      Column("when", "average precision of the prompts that set the behaviour off") {
        $0.mean(.when)
      },
      Column("where", "AUROC over modules, for plants confined to some; 0.5 is chance") {
        $0.mean(.where)
      },
      Column("how", "effect of the proposed intervention beyond random ones; 0 is chance") {
        $0.mean(.how)
      },
      Column("s", "mean seconds a trial") { $0.seconds },
    ])

  /// Every table of the main report.
  package static let all = [detection, answers]

  /// How *what* stands beside what any ranking reaches.
  package static let floors = ColumnGroup(
    title: "What, beside its floors",
    columns: [
      Column("answered", "planted pairs with a score", decimals: 0) {
        Double($0.answered(.what).count)
      },
      Column("recall", "recall of the planted words") { $0.mean(.what) },
      Column("siblings", "the same ranking scored with the keys of other organisms") {
        $0.mean(.siblingRecall, of: .what)
      },
      Column(
        "over frequency", "average precision less that of the finetuning text's own frequencies"
      ) { $0.mean(.liftOverFrequency, of: .what) },
      Column("topic", "recall of what the plant is about") { $0.mean(.topicRecall, of: .what) },
    ])
}
