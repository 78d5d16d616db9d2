internal import Organisms
internal import Transformers
internal import Bench
internal import Diffing
internal import JSON
internal import Scoring
internal import Statistics

/// A run as the page's map reads it: rows, columns, and a figure a cell.
///
/// Figures of cells are ten-thousandths in whole numbers, null for none: there are many.
struct BenchGrid {
  /// A method at the level that its row stands under; a dummy that looks at no text stands under each.
  struct Row {
    let method: MethodSummary
    let access: AccessLevel
  }

  let rows: [Row]
  let plants: [PairName]
  let nulls: [PairName]
  let seeds: [TrialSeeds]
  private let summary: BenchSummary
  private let trials: [Cell: Trial]
  /// Any trial of a pair, for what all of them share.
  private let samples: [PairName: Trial]

  /// The questions and columns whose figures the map can show.
  static let mapped = ColumnGroup.all.flatMap(\.columns).filter { column in
    Question.allCases.contains { $0.rawValue == column.title }
  }

  /// What stands beside a row, whatever the question: how it fares with what nothing was planted in.
  static let beside = ColumnGroup.detection.columns.filter { !Self.isMapped($0) }

  private static func isMapped(_ column: Column) -> Bool {
    mapped.contains { $0.title == column.title }
  }

  init(_ summary: BenchSummary) {
    self.summary = summary
    rows = AccessLevel.allCases.flatMap { access in
      let methods = summary.methods(at: access)
      return methods.isEmpty
        ? [] : (methods + summary.dummies(at: access)).map { Row(method: $0, access: access) }
    }
    plants = summary.plants
    nulls = summary.nulls
    seeds = summary.trials.reduce(into: []) { known, trial in
      if !known.contains(trial.seeds) { known.append(trial.seeds) }
    }
    trials = Dictionary(summary.trials.map { ($0.cell, $0) }) { first, _ in first }
    samples = Dictionary(summary.trials.map { ($0.pair, $0) }) { first, _ in first }
  }

  /// Null pairs, those that belong to a plant first: they are what a plant is looked at beside.
  var nullsByUse: [PairName] {
    let own = nulls.filter { samples[$0]?.match != nil }
    return own + nulls.filter { !own.contains($0) }
  }

  func trial(_ row: MethodAtAccess, _ pair: PairName, _ seeds: TrialSeeds) -> Trial? {
    trials[Cell(row, pair, seeds)]
  }

  var json: JSONValue {
    .object([
      ("questions", .array(Self.mapped.map(question))),
      ("beside", .array(Self.beside.map(Self.columnJSON))),
      ("rows", .array(rows.map(rowJSON))),
      ("plants", .array(plants.map(plantJSON))), ("nulls", .array(nulls.map(nullJSON))),
      ("seeds", .texts(seeds.map(\.description))),
      ("magnitudes", .array(rows.map(magnitudes))),
    ])
  }

  // MARK: Rows and columns

  private static func columnJSON(_ column: Column) -> JSONValue {
    .object([("title", .string(column.title)), ("meaning", .string(column.meaning))])
  }

  private func rowJSON(_ row: Row) -> JSONValue {
    .object([
      ("method", .string(row.method.row.method)), ("access", .string(row.access.rawValue)),
      ("key", .string(row.method.row.description)), ("isDummy", .bool(row.method.row.isDummy)),
      ("beside", .array(Self.beside.map { .digits($0.figure(row.method)) })),
      ("seconds", .digits(row.method.seconds)),
    ])
  }

  private func plantJSON(_ plant: PairName) -> JSONValue {
    let sample = samples[plant]
    return .object([
      ("organism", .string(plant.subject)), ("regime", .string(plant.regime)),
      ("family", .string(sample?.family ?? plant.subject)),
      ("dial", sample?.planting.dial.map { .string("\($0)") } ?? .null),
    ])
  }

  private func nullJSON(_ null: PairName) -> JSONValue {
    let sample = samples[null]
    return .object([
      ("name", .string(null.description)), ("role", .string(sample?.role.rawValue ?? "")),
      (
        "match", sample?.match.flatMap { plants.firstIndex(of: $0) }.map { .count($0) } ?? .null
      ),
    ])
  }

  /// Magnitudes of all pairs, plants first, by seeds.
  private func magnitudes(_ row: Row) -> JSONValue {
    guard row.method.reading(.whether) != nil else { return .null }
    return .array(
      (plants + nulls).map { pair in
        .array(seeds.map { .digits(trial(row.method.row, pair, $0)?.magnitude) })
      })
  }

  // MARK: Figures

  private func question(_ column: Column) -> JSONValue {
    let question = Question(rawValue: column.title)
    let levels = AccessLevel.allCases.filter { access in rows.contains { $0.access == access } }
    return .object([
      ("title", .string(column.title)), ("meaning", .string(column.meaning)),
      ("rows", .array(levels.flatMap { places(column, at: $0) })),
      ("cells", .array(rows.map { cells(question, $0) })),
    ])
  }

  /// What can be said of each row's mean, in the order of the rows; null where it never answers.
  private func places(_ column: Column, at access: AccessLevel) -> [JSONValue] {
    let rows = rows.filter { $0.access == access }
    guard rows.contains(where: { !$0.method.row.isDummy && column.figure($0.method) != nil }),
      let intervals = ColumnIntervals(column, rows.map(\.method))
    else { return rows.map { _ in .null } }
    let groups = TieGroups(intervals)
    let places = Dictionary(groups.places.map { ($0.estimate.row, $0) }) { first, _ in first }
    let estimates = Dictionary(intervals.estimates.map { ($0.row, $0) }) { first, _ in first }
    return rows.map { row in
      guard let estimate = estimates[row.method.row] else { return .null }
      let place = places[row.method.row]
      return .object([
        ("mean", .digits(estimate.value)), ("low", .digits(estimate.interval?.low)),
        ("high", .digits(estimate.interval?.high)), ("groups", .counts(place?.groups ?? [])),
        ("best", .digits(place?.chanceOfBest)),
        ("above", .bool(groups.aboveDummies.contains(row.method.row))),
        (
          "n",
          .counts([
            intervals.counts.families, intervals.counts.organisms, intervals.counts.bases,
          ])
        ),
      ])
    }
  }

  /// A row's figures: by plant, then by seeds; null where it never answers.
  private func cells(_ question: Question?, _ row: Row) -> JSONValue {
    guard let question, let reading = row.method.reading(question) else { return .null }
    return .array(
      plants.map { plant in
        .array(
          seeds.map { seeds in
            let trial = trial(row.method.row, plant, seeds)
            let value = trial.flatMap { $0.isInstalled ? reading($0) : nil }
            return value.map { .count(Int(($0 * 10_000).rounded())) } ?? .null
          })
      })
  }
}
