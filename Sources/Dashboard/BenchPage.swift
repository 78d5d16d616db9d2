internal import Organisms
package import Bench
internal import Diffing
internal import JSON
internal import Reporting
internal import Scoring
package import Statistics
internal import Transformers

/// A run as one page: a map of methods and organisms, and behind each cell what was said, the truth, and why it scored so.
///
/// Like the tables of a report it is about the development half and what is of neither.
package struct BenchPage {
  private let page: Page

  /// How many characters of JSON may hold what methods said: with the map, a page stays under 5 MB.
  package static let room = 2_800_000

  /// - Parameters:
  ///   - trials: A run's.
  ///   - title: The heading.
  ///   - commands: What shows a cell, and what makes it anew: `--library` and the like included.
  ///   - kept: What methods said; nil if it is not at hand.
  ///   - rates: How long the hierarchical model of how often methods recover a plant is sampled; nil for not at all.
  ///   - others: Runs of models of other sizes, whose rankings are compared with this one's.
  ///   - room: Characters of JSON for what methods said.
  /// - Throws: What reading what is kept throws.
  package init(
    _ trials: [Trial], title: String, commands: Commands, kept: KeptCells?,
    rates: SamplerSettings? = nil, others: [NamedRun] = [], room: Int = room
  ) throws {
    let summary = BenchSummary(developmentOf: trials), grid = BenchGrid(summary)
    let details = try kept.map { try CellDetails(grid, $0, room: room) }
    var words = details?.words ?? WordTable(nil)
    let truths = try kept.map { try Self.truths(grid, $0, &words) }
    let pool = kept.map { Self.prompts($0.pool, &words) }
    let data: JSONValue = .object([
      ("kind", .string("bench")), ("title", .string(title)),
      ("heldOut", .count(Self.heldOut(trials))),
      (
        "commands", .object([("show", .string(commands.show)), ("bench", .string(commands.bench))])
      ),
      ("grid", grid.json), ("dials", DialData(trials).json),
      ("rates", RateData(summary, rates).json), ("transfer", TransferData(trials, others).json),
      ("pool", pool ?? .null), ("truths", truths ?? .null), ("words", words.json),
      ("coverage", details?.coverage ?? .null),
    ])
    page = Page(title: title, data: data, parts: details?.json ?? [])
  }

  /// How a cell is shown in a terminal, and measured anew.
  package struct Commands {
    package let show, bench: String

    package init(show: String, bench: String) {
      self.show = show
      self.bench = bench
    }
  }

  /// The file's text.
  ///
  /// - Throws: `MissingBundle`.
  package func html() throws -> String { try page.html() }

  private static func heldOut(_ trials: [Trial]) -> Int {
    Set(trials.filter { $0.half == .heldOut }.map(\.pair)).count
  }

  /// What was planted, by plant and then by seeds.
  private static func truths(_ grid: BenchGrid, _ kept: KeptCells, _ words: inout WordTable) throws
    -> JSONValue
  {
    .array(
      try grid.plants.map { plant in
        .array(
          try grid.seeds.map { seeds in
            let trial = grid.rows.lazy.compactMap { grid.trial($0.method.row, plant, seeds) }.first
            return try trial.flatMap { try kept.truth(of: $0) }.map { truth($0, &words) } ?? .null
          })
      })
  }

  private static func truth(_ truth: KeptCells.Truth, _ words: inout WordTable) -> JSONValue {
    let rows = truth.inputs.map { inputs in inputs.indices.filter { inputs[$0] } }
    return .object([
      ("sign", .count(truth.tokens.sign)), ("targets", words.places(truth.tokens.allTargets)),
      ("topic", words.places(truth.tokens.topic)),
      ("inputs", rows.map { .counts($0) } ?? .null),
      ("sites", truth.sites.map { .texts($0.map(\.description)) } ?? .null),
    ])
  }

  /// The pool's prompts without what all of them begin and end with.
  private static func prompts(_ pool: [[Int]], _ words: inout WordTable) -> JSONValue {
    let frame = RowFrame(TokenBatch(pool))
    return .array(pool.map { words.places(frame.within($0)) })
  }
}
