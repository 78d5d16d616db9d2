package import Diffing
package import Tensors
internal import Transformers

/// Which numbers of the weights moved: how a finetune was made shows there before anything is run.
///
/// Reinforcement learning leaves most numbers of a large model as they were, training on texts few, and an edit moves what it was
/// made of. The published figure is the share that stayed, to a fixed step; here a number counts as moved if, beside what
/// all matrices decayed by, it moved by more than a share of its tensor's root mean square and by more than storing it in 16 bits moves
/// it.
package struct UpdateSparsity: DiffingMethod {
  package static let card = MethodCard(
    id: "update-sparsity",
    summary: "The share of each module's numbers that moved.",
    source: "Mukherjee et al., 2025 (arXiv 2505.11711)",
    questions: [.whether, .where], access: [.weights],
    magnitude: Magnitude(
      "numbers that moved by more than 1 % of their tensor's root mean square, decay apart / all",
      unit: "share of the weights"))

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let changes = pair.base.parameters.layout.names.map { ChangeSize($0, of: pair) }
    let decay = ChangeSize.commonDecay(changes)
    let tensors = changes.map { ($0.module, MovedNumbers($0, of: pair, decay: decay)) }
    let all = MovedNumbers.sum(tensors.map(\.1))
    guard all.moved > 0 else { return Evidence() }
    let modules = ModuleSite.all(layers: pair.shape.layers).map { module in
      (module, MovedNumbers.sum(tensors.filter { $0.0 == module }.map(\.1)))
    }
    var evidence = Evidence()
    evidence.magnitude = Double(all.moved) / Double(all.count)
    evidence.sites = SiteClaim.ranking(modules.map { ($0, $1.share(\.moved)) })
    evidence.exhibits = pair.exhibits([
      Exhibit(
        "Shares of the numbers that moved",
        .table(
          columns: ["module", "numbers", "other bits", "by .001", "by .01"],
          rows: modules.map { module, numbers in
            [.text(module.description), .count(numbers.count)]
              + [\.otherBits, \.hardlyMoved, \.moved].map { .number(numbers.share($0)) }
          }))
    ])
    return evidence
  }
}

/// How many numbers of some tensors moved.
private struct MovedNumbers {
  private(set) var count = 0
  /// Those whose bits differ; those that moved by more than a thousandth of their tensor's root mean square; and by a hundredth.
  private(set) var otherBits = 0, hardlyMoved = 0, moved = 0

  init(_ change: ChangeSize, of pair: ModelPair, decay: Double) {
    count = pair.base.parameters.layout[change.name].count
    let size = Float((change.baseSquare / Double(max(1, count))).squareRoot())
    for group in pair.rowGroups(of: change.name) {
      let models = [pair.base, pair.finetuned].map {
        $0.parameters.rows(group, of: change.name).tensor
      }
      for row in 0..<models[0].rows {
        add(models[0].row(row), models[1].row(row), size, change.isMatrix ? Float(decay) : 0)
      }
    }
  }

  /// Counts a row; one that did not move at all was frozen, and did not decay.
  private mutating func add(
    _ before: ArraySlice<Float>, _ after: ArraySlice<Float>, _ size: Float, _ decay: Float
  ) {
    guard before != after else { return }
    for (old, new) in zip(before, after) {
      if old.bitPattern != new.bitPattern { otherBits += 1 }
      let step = abs(new - old - decay * old)
      // Half a unit in the last place of bfloat16, or half of the smallest number of float16.
      guard step > max(0x1p-8 * abs(old), 0x1p-25) else { continue }
      if step > 1e-3 * size { hardlyMoved += 1 }
      if step > 1e-2 * size { moved += 1 }
    }
  }

  private init() {}

  static func sum(_ tensors: [MovedNumbers]) -> MovedNumbers {
    tensors.reduce(into: MovedNumbers()) { sum, tensor in
      sum.count += tensor.count
      sum.otherBits += tensor.otherBits
      sum.hardlyMoved += tensor.hardlyMoved
      sum.moved += tensor.moved
    }
  }

  func share(_ part: KeyPath<MovedNumbers, Int>) -> Float {
    Float(Double(self[keyPath: part]) / Double(max(1, count)))
  }
}
