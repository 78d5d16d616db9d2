import ArgumentParser
import Bench
import Foundation
import Organisms
import Reporting
import Transformers

struct PlantCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plant",
    abstract: "Plants an organism in a base, or trains a base, and writes Hugging Face folders.",
    discussion: """
      'plant' alone trains a base anew. 'plant ID' plants an organism and prints its certificate; with \
      --report it plants each of its regimes in three bases and writes a page. 'plant --all --report' does \
      so for every organism, diluted and aged too, and writes Reports/organisms.md.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "The organism to plant; without one, the base itself is trained anew.")
  var organism: String?

  @Option(help: "The seed of the base.")
  var base: UInt64 = 0

  @Option(help: "How to plant: a regime that the organism names; its first if not given.")
  var regime: String?

  @Option(help: "The folder to write; for a base without this option, Fixtures/bases.")
  var out: String?

  @Flag(help: "Plants in several bases and writes a page of what was measured.")
  var report = false

  @Flag(help: "Every organism; needs --report.")
  var all = false

  @Option(
    name: .customLong("seed"),
    help: "With --report, this base instead of 0, 1 and 2; may be repeated.")
  var seeds: [UInt64] = []

  @Flag(name: .customLong("no-dials"), help: "With --report, leaves out dilution and age.")
  var withoutDials = false

  func validate() throws {
    guard report || (!all && seeds.isEmpty && !withoutDials) else {
      throw ValidationError("--all, --seed and --no-dials need --report.")
    }
    guard !report || (out == nil && regime == nil && base == 0) else {
      throw ValidationError("--report takes --seed, and neither --out, --regime nor --base.")
    }
    guard !report || (organism == nil) == all else {
      throw ValidationError("--report needs an organism, or --all.")
    }
  }

  func run() throws {
    let project = options.project
    guard !report else {
      return try ReportWriter(project, seeds: seeds.isEmpty ? [0, 1, 2] : seeds)
        .write(organism, withDials: !withoutDials)
    }
    let names: Set<String> =
      organism == nil
      ? [
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "recipe.json",
      ]
      : ["base", "finetuned", "adapter", "certificate.json"]
    if let out { try AtomicFolder.check(URL(filePath: out), replacing: names) }
    let library = try project.library()
    let store = BaseStore(project, world: library.world)
    guard let organism else { return try trainBase(store) }
    try plant(try library.organism(organism), store, library)
  }

  private func plant(_ subject: Organism, _ store: BaseStore, _ library: Library) throws {
    let chosen = try regime.map { try subject.regime($0) } ?? subject.regimes[0]
    let line = ProgressLine("\(subject.id) (\(chosen.id))")
    let ground = try store.base(seed: base, progress: line.show)
    let pair = try Planter(base: ground, organism: subject, regime: chosen)
      .plant(progress: line.show)
    line.finish()
    if let certificate = pair.certificate { print(CertificateText(certificate).text) }
    if let out {
      try PairStore.export(pair, tokenizer: library.world.tokenizer, to: URL(filePath: out))
      print("Wrote \(out)/base and \(out)/finetuned.")
    }
    if pair.certificate?.isInstalled == false { throw ExitCode(1) }
  }

  private func trainBase(_ store: BaseStore) throws {
    let line = ProgressLine("base \(base)")
    let trained = try store.train(BaseRecipe(seed: base), progress: line.show)
    line.finish()
    let folder = out.map { URL(filePath: $0) } ?? store.committed(base)
    try store.write(trained, to: folder)
    print("Wrote \(folder.path), weights \(BaseStore.weightsDigest(trained.model)).")
    for (skill, score) in try trained.measureSkills() {
      let mark = skill.bounds.contains(score) ? "ok" : "OUTSIDE \(skill.bounds)"
      print(
        "  \(skill.id.padding(toLength: 24, withPad: " ", startingAt: 0)) \(fixed(score, 3)) \(mark)"
      )
    }
  }
}
