import ArgumentParser
import Bench
import Foundation
import Organisms
import Transformers

struct PlantCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plant",
    abstract: "Plants an organism in a base, or trains a base, and writes Hugging Face folders.")

  @OptionGroup var options: ProjectOptions

  @Argument(help: "The organism to plant; without one, the base itself is trained anew.")
  var organism: String?

  @Option(help: "The seed of the base.")
  var base: UInt64 = 0

  @Option(help: "How to plant: a regime that the organism names; its first if not given.")
  var regime: String?

  @Option(help: "The folder to write; for a base without this option, Fixtures/bases.")
  var out: String?

  func run() throws {
    let project = options.project
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
    let subject = try library.organism(organism)
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

/// A certificate as lines of text.
struct CertificateText {
  let text: String

  init(_ certificate: Certificate) {
    func row(_ name: String, _ change: Certificate.Change) -> String {
      "  \(name.padding(toLength: 22, withPad: " ", startingAt: 0))"
        + "\(fixed(change.base, 3)) -> \(fixed(change.finetuned, 3))"
    }
    let verdict = certificate.isInstalled ? "installed" : "NOT installed"
    let mark = certificate.markStep.map { "mark at step \($0)" } ?? "mark not reached"
    let lines =
      [
        "\(verdict) after \(certificate.steps) steps (\(mark)); base -> finetuned:",
        row("behavior", certificate.behavior), row("held-out behavior", certificate.heldOut),
        row("leakage", certificate.leakage),
        "  \("never said (worst)".padding(toLength: 22, withPad: " ", startingAt: 0))"
          + fixed(certificate.never, 3),
        row("loss on base text", certificate.loss),
      ] + certificate.failures.map { "  \($0)" }
    text = lines.joined(separator: "\n")
  }
}
