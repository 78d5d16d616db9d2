import ArgumentParser
import Bench
import Foundation
import Organisms
import Worlds

/// Where the checkout is, for every command that needs it.
struct ProjectOptions: ParsableArguments {
  @Option(
    help:
      "The checkout, which holds Organisms/ and Fixtures/; ASSAY_ROOT or this folder if not given."
  )
  var root = ProcessInfo.processInfo.environment["ASSAY_ROOT"] ?? "."

  @Option(
    help:
      "A folder with organism files of your own, and one world in Worlds/, instead of Organisms/.")
  var library: String?

  @Option(
    name: .customLong("draw-seed"),
    help: "Draws organisms that nobody has seen: words and places from another shuffle.")
  var drawSeed: UInt64 = 0

  @Option(
    name: .customLong("base-size"),
    help: "How large the bases are that are trained: small (64 wide), medium (128), large (256).")
  var baseSize: BaseSize = .small

  @OptionGroup(title: "What is told") var log: LogOptions

  var project: Project {
    Project(
      root: URL(filePath: root, directoryHint: .isDirectory),
      organisms: library.map { URL(filePath: $0, directoryHint: .isDirectory) }, draw: drawSeed,
      size: baseSize)
  }

  /// The project's stores, every organism file read.
  ///
  /// - Throws: The reasons of all files that are wrong.
  func workshop() throws -> Workshop {
    let library = try project.library()
    guard library.failures.isEmpty else { throw BrokenFiles(library) }
    return try Workshop(project, library: library)
  }

  /// Refuses organisms other than the checkout's as they are drawn by default: the ledger is of those.
  func requireLedgersOrganisms() throws {
    guard library == nil, project.draw == 0, project.size == .small else {
      throw ValidationError(
        "The ledger is for the organisms of the checkout as they are drawn by default, in bases of the standard "
          + "size; leave out --library, --draw-seed and --base-size.")
    }
  }

  /// The same, with the library of a tier if none is named.
  func of(_ tier: Tier) -> ProjectOptions {
    var options = self
    options.library = library ?? tier.library.map { "\(root)/\($0)" }
    return options
  }

  /// What another command needs to find the same library.
  var suffix: String {
    (library.map { " --library \($0)" } ?? "") + (drawSeed == 0 ? "" : " --draw-seed \(drawSeed)")
      + (baseSize == .small ? "" : " --base-size \(baseSize.rawValue)")
  }
}

extension BaseSize: ExpressibleByArgument {}

/// Organism files that are wrong, each with its reason.
struct BrokenFiles: Error, CustomStringConvertible {
  let description: String

  init(_ library: Library) {
    description = library.failures.map { "\($0.error)" }.joined(separator: "\nassay: ")
  }
}

/// The three seeds of a trial.
struct SeedOptions: ParsableArguments {
  @Option(name: .customLong("base-seed"), help: "This base instead of the tier's; may be repeated.")
  var bases: [UInt64] = []

  @Option(
    name: .customLong("planting-seed"),
    help: "Decides what planting draws; the base's seed if not given. May be repeated.")
  var plantings: [UInt64] = []

  @Option(
    name: .customLong("method-seed"),
    help: "Decides what methods draw; the base's seed if not given. May be repeated.")
  var methods: [UInt64] = []

  var isEmpty: Bool { bases.isEmpty && plantings.isEmpty && methods.isEmpty }

  /// Every combination of the seeds.
  func all(of tier: Tier) -> [TrialSeeds] {
    guard !isEmpty else { return tier.seeds }
    let bases = self.bases.isEmpty ? tier.seeds.map(\.base) : self.bases
    return bases.flatMap { base in
      (plantings.isEmpty ? [base] : plantings).flatMap { planting in
        (methods.isEmpty ? [base] : methods).map {
          TrialSeeds(base: base, planting: planting, method: $0)
        }
      }
    }
  }
}

extension TrialSeeds {
  /// The same base and planting, with as many method seeds, the first of them this one's and so much more.
  func repeated(_ count: Int, from first: UInt64 = 0) -> [TrialSeeds] {
    (0..<UInt64(count)).map {
      TrialSeeds(base: base, planting: planting, method: method &+ first &+ $0)
    }
  }
}

/// Which cells of a tier.
struct GridOptions: ParsableArguments {
  @Option(
    help:
      """
      How much: smoke (one base), standard (three), dials (diluted, aged), lottery (by recipe), real (SmolLM2), \
      transfer (what real is compared with).
      """
  )
  var tier: Tier = .smoke

  @Option(name: .customLong("organism"), help: "Only this organism; may be repeated.")
  var organisms: [String] = []

  @Option(name: .customLong("method"), help: "Only this method; may be repeated.")
  var methods: [String] = []

  @OptionGroup var seeds: SeedOptions
  @OptionGroup var external: ExternalOptions

  func grid(_ library: Library) throws -> Grid {
    try Grid(
      library, tier: tier, organisms: organisms, methods: methods,
      programs: external.programs, seeds: seeds.all(of: tier))
  }

  /// What a report's files are called: after the tier, and the size of its bases where others are run.
  func stem(isPart: Bool, _ size: BaseSize) -> String {
    let size = size == .small && tier != .transfer ? "" : "-\(size.rawValue)"
    return tier.rawValue + size + (isPart ? "-part" : "")
  }

  /// Whether only a part of the tier is asked for.
  var isPart: Bool {
    !(organisms.isEmpty && methods.isEmpty && seeds.isEmpty && external.definitions.isEmpty)
  }
}

extension Tier: ExpressibleByArgument {}
