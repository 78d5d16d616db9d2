import ArgumentParser
import Bench
import Files
import Foundation
import Organisms
import Reporting
import Transformers
import Worlds

struct PlantCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plant",
    abstract: "Plants an organism in a base, or trains a base, and writes Hugging Face folders.",
    discussion: """
      'plant ID' plants an organism and prints its certificate; with --out PAIR it writes PAIR/base, \
      PAIR/finetuned and, of a LoRA plant, PAIR/adapter, which 'diff PAIR' compares. With --report it plants each \
      of the organism's regimes in three bases and writes a page; 'plant --all --report' does so for every \
      organism, diluted and aged too. 'plant --out FOLDER' alone trains a base. The exit code is 1 if something \
      is not installed or a base lacks a skill.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "The organism to plant; without one, a base is trained.")
  var organism: String?

  @OptionGroup var seeds: SeedOptions

  @Option(help: "How to plant: a regime that the organism names; its first if not given.")
  var regime: String?

  @Option(help: "The folder to write; with --report that of the pages, Reports/local if not given.")
  var out: String?

  @Flag(help: "Plants in several bases and writes a page of what was measured.")
  var report = false

  @Flag(help: "Every organism; needs --report.")
  var all = false

  @Flag(
    help:
      "In a world that names a model: keeps the adapter in Adapters/ beside the organism, if it is installed, and those of its null pairs, so that nobody trains them again."
  )
  var keep = false

  @Flag(name: .customLong("no-dials"), help: "With --report, leaves out dilution and age.")
  var withoutDials = false

  @Flag(
    name: .customLong("no-controls"),
    help: "With --report, leaves out what certificates are held against.")
  var withoutControls = false

  func validate() throws {
    guard out != "" else { throw ValidationError("--out is empty: name a folder.") }
    guard seeds.methods.isEmpty else {
      throw ValidationError("--method-seed is for 'bench' and 'diff': no method runs here.")
    }
    guard report || (!all && !withoutDials && !withoutControls) else {
      throw ValidationError("--all, --no-dials and --no-controls need --report.")
    }
    guard !keep || (!report && organism != nil && out == nil) else {
      throw ValidationError("--keep is for one organism, without --report and --out.")
    }
    guard !report || (regime == nil && seeds.plantings.isEmpty) else {
      throw ValidationError(
        "--report takes --base-seed, and neither --regime nor --planting-seed.")
    }
    guard !report || (organism == nil) == all else {
      throw ValidationError("--report needs an organism, or --all.")
    }
    guard report || (seeds.bases.count <= 1 && seeds.plantings.count <= 1) else {
      throw ValidationError("Without --report one base and one planting are made at a time.")
    }
    guard report || organism != nil || out != nil else {
      throw ValidationError(
        "Name an organism ('assay list organisms'), or --out FOLDER to train a base there.")
    }
  }

  func run() throws {
    guard !report else {
      let bases = seeds.bases.isEmpty ? [0, 1, 2] : seeds.bases
      return try ReportWriter(try options.workshop(), seeds: bases, out: out)
        .write(organism, withDials: !withoutDials, withControls: !withoutControls)
    }
    if let out {
      try AtomicFolder.check(URL(filePath: out), replacing: organism == nil ? .model : .pair)
    }
    let library = try options.project.library()
    let workshop = try Workshop(options.project, library: library)
    guard let organism else { return try trainBase(workshop.bases) }
    try plant(try library.organism(organism), workshop)
  }

  private var baseSeed: UInt64 { seeds.bases.first ?? 0 }

  private func plant(_ subject: Organism, _ workshop: Workshop) throws {
    // As the bench plants it: in the words that are drawn for the base.
    let subject = try workshop.library.drawn(for: baseSeed).organism(subject.id)
    let chosen = try regime.map { try subject.regime($0) } ?? subject.regimes[0]
    let progress = TrainingProgress("\(subject.id) (\(chosen.id))")
    let ground = try workshop.bases.base(seed: baseSeed, progress: progress.show)
    if keep { return try keepAdapter(subject, chosen, workshop, ground, progress) }
    let pair = try Planter(
      base: ground, organism: subject, regime: chosen, planting: seeds.plantings.first ?? baseSeed
    ).plant(progress: progress.show)
    progress.finish()
    let certificate = try Certificate(subject, pair, regime: chosen, base: ground)
    Console.show(CertificateText(certificate).text)
    if let out {
      try PairStore.export(
        pair, certificate: certificate, world: workshop.library.world, to: URL(filePath: out))
      Console.show("Wrote \(out)/base and \(out)/finetuned. './assay diff \(out)' compares them.")
    }
    if !certificate.isInstalled { throw ExitCode(1) }
  }

  /// Plants, or takes what was planted, and keeps what is installed.
  private func keepAdapter(
    _ subject: Organism, _ regime: Regime, _ workshop: Workshop, _ base: Base,
    _ progress: TrainingProgress
  ) throws {
    let planting = seeds.plantings.first
    _ = try workshop.pairs.pair(
      .organism(subject, regime), in: base, planting: planting, progress: progress.show)
    progress.finish()
    let certificate = try workshop.pairs.certificate(subject, regime, in: base, planting: planting)
    Console.show("\(subject.file.summary)\n\(CertificateText(certificate).text)")
    guard certificate.isInstalled else { throw ExitCode(1) }
    guard
      let folder = try workshop.pairs.commit(
        .organism(subject, regime), in: base, planting: planting)
    else { throw ValidationError("--keep is for low-rank changes of a model that a world names.") }
    Console.show("Wrote \(folder.path).")
    try keepNulls(of: subject, workshop, base, planting)
  }

  /// Keeps the null pairs too that the tier compares a plant with.
  private func keepNulls(
    of subject: Organism, _ workshop: Workshop, _ base: Base, _ planting: UInt64?
  ) throws {
    let grid = try Grid(workshop.library, tier: .real)
    let seeds = TrialSeeds(base: base.seed, planting: planting)
    for case .null(let null) in try grid.subjects(
      in: workshop.library.drawn(for: base.seed), for: seeds)
    where null.match?.organism.id == subject.id {
      let progress = TrainingProgress("\(null.id) (\(seeds))")
      _ = try workshop.pairs.pair(
        .null(null), in: base, planting: planting, progress: progress.show)
      progress.finish()
      if let folder = try workshop.pairs.commit(.null(null), in: base, planting: planting) {
        Console.show("Wrote \(folder.path).")
      }
    }
  }

  private func trainBase(_ store: BaseStore) throws {
    let progress = TrainingProgress("base \(baseSeed)")
    let recipe = BaseRecipe(seed: baseSeed, size: store.world.size)
    let trained = try store.train(recipe, progress: progress.show)
    progress.finish()
    guard let out else { return }
    try store.export(trained, recipe, to: URL(filePath: out))
    Console.show("Wrote \(out), weights \(trained.model.weightsDigest).")
    let skills = try trained.measureSkills()
    for (skill, score) in skills {
      let mark = skill.bounds.contains(score) ? "ok" : "OUTSIDE \(skill.bounds)"
      Console.show("  \(column(skill.id, 24)) \(fixed(score, 3)) \(mark)")
    }
    if skills.contains(where: { !$0.skill.bounds.contains($0.score) }) { throw ExitCode(1) }
  }
}
