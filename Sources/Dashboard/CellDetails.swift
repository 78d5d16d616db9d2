internal import Statistics
internal import Bench
internal import Diffing
internal import JSON
internal import Reporting
internal import Scoring

/// What methods said, pair by pair, as far as it has room in a page: what matters most first.
///
/// A part is what one pair's methods said on one set of seeds, which the page reads when somebody opens it.
struct CellDetails {
  /// How much room there is, and how much of what there is was left out for want of it.
  private(set) var room: Int
  private(set) var left: [Kind: Int] = [:]
  private(set) var shown: [Kind: Int] = [:]
  private(set) var words: WordTable

  /// What takes room, in the order in which it gets it.
  enum Kind: String, CaseIterable {
    case answers, nullAnswers, exhibits, nullExhibits
  }

  private let grid: BenchGrid
  private let kept: KeptCells
  private var parts: [String: [(key: String, members: [(String, JSONValue)])]] = [:]
  private var order: [String] = []
  private static let claims = EvidenceData(top: 10)

  /// - Parameters:
  ///   - grid: The run.
  ///   - kept: What was said.
  ///   - room: Characters of JSON.
  /// - Throws: What reading throws.
  init(_ grid: BenchGrid, _ kept: KeptCells, room: Int) throws {
    self.grid = grid
    self.kept = kept
    self.room = room
    words = WordTable(kept.tokenizer)
    for seeds in grid.seeds {
      try addAll(grid.plants, seeds, .answers)
    }
    guard let first = grid.seeds.first else { return }
    let nulls = grid.nullsByUse
    try addAll(nulls, first, .nullAnswers)
    try addAll(grid.plants, first, .exhibits)
    try addAll(nulls, first, .nullExhibits)
  }

  /// The parts by name: an object of cells by `method@access`.
  var json: [(name: String, json: String)] {
    order.map { name in
      (name, JSON.plainText(of: .object((parts[name] ?? []).map { ($0.key, .object($0.members)) })))
    }
  }

  /// How many cells there are of each kind, and how many are shown.
  var coverage: JSONValue {
    .object(
      Kind.allCases.map { kind in
        let shown = shown[kind] ?? 0
        return (kind.rawValue, .counts([shown, shown + (left[kind] ?? 0)]))
      })
  }

  private mutating func addAll(_ pairs: [PairName], _ seeds: TrialSeeds, _ kind: Kind) throws {
    for pair in pairs {
      let trials = grid.rows.compactMap { grid.trial($0.method.row, pair, seeds) }
      let evidence = try kept.evidence(of: trials)
      for trial in trials {
        guard let said = evidence[trial.key] else { continue }
        add(member(kind, trial, said), of: trial, kind)
      }
    }
  }

  private mutating func member(_ kind: Kind, _ trial: Trial, _ said: CellEvidence) -> [(
    String, JSONValue
  )] {
    switch kind {
    case .answers, .nullAnswers:
      return [
        ("said", Self.claims.json(said.evidence, &words)), ("scores", Self.scores(trial)),
        (
          "cost",
          .array([
            .digits(trial.cost.seconds), .count(trial.cost.tokensForward),
            .count(trial.cost.tokensBackward),
          ])
        ),
      ]
    case .exhibits, .nullExhibits:
      guard !said.evidence.exhibits.isEmpty else { return [] }
      var data = ExhibitData(words: words)
      let exhibits = said.evidence.exhibits.map { data.json($0) }
      words = data.words
      return [("exhibits", .array(exhibits))]
    }
  }

  private mutating func add(_ members: [(String, JSONValue)], of trial: Trial, _ kind: Kind) {
    guard !members.isEmpty else { return }
    let key = trial.row.description
    let size = JSON.text(of: .object(members)).utf8.count + key.count + 6
    guard size <= room else {
      left[kind, default: 0] += 1
      return
    }
    room -= size
    shown[kind, default: 0] += 1
    let name = "\(trial.pair) \(trial.seeds)"
    if parts[name] == nil { order.append(name) }
    if let index = parts[name, default: []].firstIndex(where: { $0.key == key }) {
      parts[name]?[index].members += members
    } else {
      parts[name, default: []].append((key, members))
    }
  }

  private static func scores(_ trial: Trial) -> JSONValue {
    .object(
      Question.allCases.compactMap { question in
        trial.score(question).map { score in
          (
            question.rawValue,
            .object([
              ("value", .digits(score.value)), ("chance", .digits(score.chance)),
              ("reason", score.reason.map(JSONValue.string) ?? .null),
              (
                "figures",
                .object(
                  score.figures.sorted { $0.key.name < $1.key.name }
                    .map { ($0.key.name, .digits($0.value)) })
              ),
            ])
          )
        }
      })
  }
}
