import ArgumentParser
import Bench
import Diffing
import JSON
import Methods
import Organisms
import Reporting
import Worlds

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows what is kept: what a method said, the truth, and why it scored so.",
    discussion: """
      'show METHOD' or 'show ORGANISM' prints its scores; 'show METHOD@ACCESS ORGANISM@REGIME base-0' one cell. \
      Without @ACCESS or @REGIME the first one counts. It reads what 'assay bench' kept, and measures nothing.
      """)

  @OptionGroup var options: ProjectOptions
  @OptionGroup var external: ExternalOptions

  @Argument(
    help: "A method, an organism, or one of each; a cell, as it is printed, may end in seeds.")
  var words: [String]

  @Option(help: "The base's seed.")
  var baseSeed: UInt64 = 0

  @Option(help: "The planting's seed; the base's if not given.")
  var plantingSeed: UInt64?

  @Option(help: "The method's seed; the base's if not given.")
  var methodSeed: UInt64?

  @Option(help: "How many claims of each kind to print.")
  var top = 10

  @Flag(help: "Prints the cell's evidence as JSON, its numbers as lists.")
  var json = false

  func validate() throws {
    guard (1...2).contains(names.count), words.count <= 5 else {
      throw ValidationError("Name a method, an organism, or one of each.")
    }
    guard top > 0 else { throw ValidationError("--top should be at least 1.") }
    guard !json || names.count == 2 else {
      throw ValidationError("--json prints one cell: name a method and an organism.")
    }
  }

  func run() throws {
    let workshop = try Workshop(options.project)
    let parts = try names.map { try Part($0, workshop.library, external.programs) }
    let methods = parts.compactMap(\.method), plants = parts.compactMap(\.plant)
    guard methods.count <= 1, plants.count <= 1 else {
      throw ValidationError("Name one method and one organism, not two of a kind.")
    }
    if let method = methods.first, let plant = plants.first {
      return try showCell(method, plant, workshop)
    }
    try showScores(methods.first, plants.first, workshop)
  }

  /// The words that name a method or an organism.
  private var names: [String] { words.filter { Self.seed($0) == nil } }

  /// What a word such as `base-0` says of a seed.
  private static func seed(_ word: String) -> (name: Substring, value: UInt64)? {
    guard let match = word.wholeMatch(of: /(base|planting|method)-(\d+)/),
      let value = UInt64(match.2)
    else { return nil }
    return (match.1, value)
  }

  private var seeds: TrialSeeds {
    let named = words.compactMap(Self.seed)
    func value(_ name: Substring) -> UInt64? { named.last { $0.name == name }?.value }
    return TrialSeeds(
      base: value("base") ?? baseSeed, planting: value("planting") ?? plantingSeed,
      method: value("method") ?? methodSeed)
  }

  private func showCell(
    _ method: (MethodCode, AccessLevel?), _ plant: (Organism, Regime?), _ workshop: Workshop
  ) throws {
    let access = method.1 ?? method.0.card.access[0], regime = plant.1 ?? plant.0.regimes[0]
    let cell = try BenchRun(workshop).inspect(
      method.0, access, on: PairName(plant.0.id, regime.id), seeds)
    guard let cell else {
      throw ValidationError(
        "Nothing is kept of \(method.0.card.id)@\(access.rawValue) on \(plant.0.id)@\(regime.id) \(seeds): "
          + "'assay bench' measures it.")
    }
    guard !json else {
      return try PackedNumbers.$writesLists.withValue(true) {
        Console.showJSON(try JSON.encode(cell.evidence, layout: .pretty))
      }
    }
    Console.show(CellText(cell, tokenizer: workshop.library.world.tokenizer, top: top).text)
  }

  /// The scores of a method on every organism, or of every method on an organism.
  private func showScores(
    _ method: (MethodCode, AccessLevel?)?, _ plant: (Organism, Regime?)?,
    _ workshop: Workshop
  ) throws {
    let grid = try Grid(
      workshop.library, tier: .standard, organisms: plant.map { [$0.0.id] } ?? [],
      methods: method.map { [$0.0.card.id] } ?? [], programs: external.programs, seeds: [seeds])
    let trials = try BenchRun(workshop).run(grid, extent: .reading, jobs: 1)
    let shown = trials.filter { trial in
      !trial.isNull && (method?.1).map { $0 == trial.row.access } ?? true
        && (plant?.1).map { $0.id == trial.pair.regime } ?? true
    }
    guard !shown.isEmpty else {
      throw ValidationError("Nothing is kept of \(names[0]) \(seeds): 'assay bench' measures it.")
    }
    Console.show(TrialTable(shown, byMethod: plant != nil).text)
  }
}

/// A word of the command line: a method or an organism, with what stands behind its `@`.
private struct Part {
  var method: (MethodCode, AccessLevel?)?
  var plant: (Organism, Regime?)?

  init(_ word: String, _ library: Library, _ programs: [ExternalMethod]) throws {
    let parts = word.split(separator: "@", maxSplits: 1).map(String.init)
    let name = parts.first ?? "", place = parts.dropFirst().first
    if let organism = library.organisms.first(where: { $0.id == name }) {
      plant = (organism, try place.map { try organism.regime($0) })
      return
    }
    let methods = Methods.all.map { MethodCode.own($0.init()) } + programs.map(MethodCode.program)
    if let known = methods.first(where: { $0.card.id == name }) {
      method = (known, try place.map { try Self.access($0, known.card) })
      return
    }
    let all = library.organisms.map(\.id) + methods.map(\.card.id)
    throw DefinitionError.unknownName(
      name, kind: "method or organism", nearest: nearest(to: name, among: all))
  }

  private static func access(_ name: String, _ card: MethodCard) throws -> AccessLevel {
    guard let access = card.access.first(where: { $0.rawValue == name }) else {
      throw DiffingError.wrongAccess(
        method: card.id, access: name, supported: card.access.map(\.rawValue))
    }
    return access
  }
}
