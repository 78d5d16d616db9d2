import Statistics
import Tensors
import ArgumentParser
import Bench
import Foundation
import Organisms
import Reporting

struct VectorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vectors",
    abstract: "Compares organisms' task vectors: cosines between what their finetunes added.",
    discussion: "Which plants share a direction of weights, although no method compared them?")

  @OptionGroup var options: ProjectOptions

  @Option(name: .customLong("organism"), help: "Only this organism; may be repeated.")
  var organisms: [String] = []

  @Option(help: "The seed of the base.")
  var baseSeed: UInt64 = 0

  func run() throws {
    let workshop = try options.workshop()
    let grid = try Grid(workshop.library, tier: .standard, organisms: organisms)
    let vectors = try TaskVectorCosines(workshop, subjects: grid.subjects, seed: baseSeed)
    let rows = vectors.names.indices.map { row in
      [vectors.names[row]] + vectors.cosines[row].map { String(format: "%.2f", $0) }
    }
    Console.show(
      TextTable(header: ["cosine"] + vectors.names.indices.map { "\($0)" }, rows: rows).fitted)
    let groups: [(String, (value: Double, count: Int))] = [
      (
        "same family, same regime",
        vectors.mean { $0.family == $1.family && $0.regime == $1.regime }
      ),
      (
        "same family, other regime",
        vectors.mean { $0.family == $1.family && $0.regime != $1.regime }
      ),
      (
        "other family, same regime",
        vectors.mean { $0.family != $1.family && $0.regime == $1.regime }
      ),
      (
        "other family, other regime",
        vectors.mean { $0.family != $1.family && $0.regime != $1.regime }
      ),
    ]
    Console.show(
      TextTable(
        header: ["plants", "mean cosine", "pairs"],
        rows: groups.map { [$0.0, String(format: "%.2f", $0.1.value), "\($0.1.count)"] }
      ).text)
  }
}
