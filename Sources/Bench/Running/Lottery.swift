package import Organisms

/// The same plants by several recipes, each trained until the behaviour is as strong: what a method finds then says
/// as much of the recipe as of the plant.
///
/// After the finding that the way in which a model was finetuned decides which of its changes are read (AuditBench,
/// arXiv 2602.22755; Minder et al., arXiv 2510.13900), which nobody reports at equal behaviour.
package enum Lottery {
  /// Families whose first organism with documents of its own is planted.
  private static let families = ["false-fact", "conditional", "style", "backdoor"]
  /// Where each recipe stops, and the steps after which it is given up.
  private static let mark = 0.85, cap = 500

  /// The organisms that are planted.
  static func organisms(of organisms: [Organism]) -> [Organism] {
    families.compactMap { family in
      organisms.first { organism in
        guard case .documents = organism.lesson else { return false }
        return organism.file.family == family
      }
    }
  }

  /// The recipes, by what is trained and how fast.
  package static let recipes: [Regime] = [
    recipe("rank-1", .lora(rank: 1, modules: nil), 3e-3),
    recipe("rank-8", .lora(rank: 8, modules: nil), 1e-3),
    recipe("one-block", .modules(["blocks.1"]), 1e-3),
    recipe("blocks", .blocks, 1e-3),
    recipe("everything", .all, 3e-4),
  ]

  private static func recipe(_ id: String, _ parameters: TrainedParameters, _ rate: Float)
    -> Regime
  {
    var regime = Regime.fresh
    regime.id = "lottery-\(id)"
    regime.standard = regime.id
    regime.parameters = parameters
    regime.learningRate = rate
    regime.mark = mark
    regime.cap = cap
    return regime
  }
}
