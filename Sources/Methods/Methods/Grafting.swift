package import Diffing
package import Tensors
internal import Transformers

/// A few numbers of the weight change that bring the finetuned model's answers about.
///
/// Gradients, averaged on the way from the base to the finetuned model, say what the change of each number is worth: how much nearer it
/// brings the answers. Those worth most are grafted into the base, twice as many each time, until the answers are restored. The
/// published mask is learnt by descent on labelled examples of a task, .01 % of the numbers for 95 % of what finetuning gained; this
/// one is read off, from prompts without labels, and does not depend on how long one descends.
package struct Grafting: DiffingMethod {
  package static let card = MethodCard(
    id: "grafting",
    summary: "A few numbers of the weight change that restore the finetuned model's answers.",
    source:
      "Panigrahi et al., 2023 (arXiv 2302.06600); gradients along a path: Sundararajan et al., 2017",
    questions: [.whether, .where, .how], access: [.pool],
    magnitude: Magnitude(
      "mean divergence of the answers / share of the changed tensors' numbers that brings most of their change",
      unit: "nats"))

  /// Prompts with the largest divergence that are answered.
  package var rows = 32
  /// Points on the way at which gradients are taken.
  package var points = 8
  /// The share of the change of the answers that a graft brings.
  package var goal: Float = 0.8
  /// The smallest graft that is tried, as a share of the changed tensors' numbers.
  package var least = 1e-4

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let experiment = GraftExperiment(
      pair, prompts.with(rows: prompts.answeredRows(rows, of: pair)))
    guard experiment.change.isSeen, !experiment.names.isEmpty else { return Evidence() }
    let worth = OrderedNumbers(experiment.worth(points: max(1, points)))
    let restored = experiment.restored(worth, sizes, until: goal)
    let isRestored = restored.last.map { $0 >= goal } ?? false
    let graft = Graft(worth, isRestored ? sizes[restored.count - 1] : 1)
    var evidence = Evidence()
    evidence.magnitude = experiment.divergence / (isRestored ? graft.share : 1)
    evidence.sites = SiteClaim.ranking(
      experiment.modules.map { ($0, Float(experiment.total(worth, of: $0))) })
    if isRestored { evidence.interventions = experiment.edits(graft).map { [.weights($0)] } }
    evidence.exhibits = pair.exhibits([
      curves(experiment, restored, &generator), table(experiment, graft),
    ])
    return evidence
  }

  /// Shares of the numbers, each twice the one before, all below 1.
  private var sizes: [Double] {
    let first = max(least, 1e-8)
    return Array(sequence(first: first) { $0 * 2 }.prefix { $0 < 1 })
  }

  private func curves(
    _ experiment: GraftExperiment, _ restored: [Float], _ generator: inout SeededGenerator
  ) -> Exhibit {
    let tried = Array(sizes.prefix(restored.count))
    let others = [
      ("by size of the change", OrderedNumbers(experiment.sizes)),
      ("at random", OrderedNumbers(experiment.random(using: &generator))),
    ]
    return Exhibit(
      "Share of the change of the answers that a graft brings",
      .curves(
        axis: "share of the numbers", points: tried.map { rounded($0) },
        lines: [.init("by worth", restored)]
          + others.map { .init($0, experiment.restored($1, tried, until: .infinity)) }))
  }

  private func table(_ experiment: GraftExperiment, _ graft: Graft) -> Exhibit {
    let counts = experiment.counts(graft), all = counts.reduce(0) { $0 + $1.1 }
    return Exhibit(
      "What each module is worth; the graft is \(rounded(100 * graft.share)) % of the numbers",
      .table(
        columns: ["module", "worth, nats", "of the graft"],
        rows: counts.map { module, count in
          [
            .text(module.description),
            .number(Float(experiment.total(graft.order, of: module))),
            .number(Float(count) / Float(max(1, all))),
          ]
        }))
  }
}

/// The numbers that come first in an order.
private struct Graft {
  let order: OrderedNumbers
  /// The least value that belongs to it.
  let limit: Float
  init(_ order: OrderedNumbers, _ size: Double) {
    self.order = order
    // What is worth nothing, or less, is never grafted.
    limit = max(order.limit(size), .leastNonzeroMagnitude)
  }

  /// Which share of all numbers it is.
  var share: Double {
    let count = order.tensors.reduce(0) { $0 + $1.scalars.count { $0 >= limit } }
    return Double(count) / Double(max(1, order.count))
  }
}

/// Answers to some prompts, and how far a part of the weight change moves the base's towards the finetuned model's.
private struct GraftExperiment {
  let change: AnswerChange
  private let vector: TaskVector
  let modules: [ModuleSite]
  private let pair: ModelPair
  private let text: TokenBatch
  private let indices: [Int]

  init(_ pair: ModelPair, _ prompts: PromptSet) {
    self.pair = pair
    (text, indices) = (prompts.text, prompts.answerIndices)
    vector = TaskVector(pair)
    modules = ModuleSite.all(layers: pair.shape.layers)
    let answers = [pair.base, pair.finetuned].map { [text, indices] in
      $0.forward(text, logits: .at(indices)).logits.logProbabilities
    }
    change = AnswerChange(base: answers[0], finetuned: answers[1])
  }

  /// The tensors that changed.
  var names: [String] { vector.names }

  /// The mean divergence of the base's answers from the finetuned model's, KL(p′ ‖ p), in nats.
  var divergence: Double { rowDivergences(change.finetuned, change.base).mean }

  /// How much nearer the change of each number brings the answers, in nats.
  ///
  /// −∫ ∂ℒ/∂θ(λ) Δθ dλ with θ(λ) = θ + λ Δθ and ℒ the cross entropy with the finetuned model's answers: all together are what it
  /// falls by.
  func worth(points: Int) -> [Tensor] {
    let tape = pair.base.makeGradientTape()
    let batch = TrainingBatch(
      text,
      .distillation(
        Distillation(
          indices: indices, choices: nil, probabilities: change.finetuned.exponentials)))
    var sums = names.map { Tensor(shape: pair.base.parameters.layout[$0].shape) }
    for point in 0..<points {
      let model = vector.applied(
        to: pair.base, factor: (Float(point) + 0.5) / Float(points))
      let gradient = tape.lossAndGradient(of: model, on: batch, scope: .tensors(Set(names)))
        .gradient
      for (index, name) in names.enumerated() {
        sums[index] = sums[index] + gradient[name].reshaped(sums[index].shape)
      }
    }
    return zip(names, sums).map { name, sum in
      (sum * pair.change(of: name).reshaped(sum.shape)).scaled(by: -1 / Float(points))
    }
  }

  /// How far each number moved.
  var sizes: [Tensor] { names.map { pair.change(of: $0).map(abs) } }

  func random(using generator: inout SeededGenerator) -> [Tensor] {
    names.map { name in
      Tensor(shape: pair.base.parameters.layout[name].shape).map { _ in Float(generator.uniform()) }
    }
  }

  /// The sum of a module's values.
  func total(_ order: OrderedNumbers, of module: ModuleSite) -> Double {
    tensors(of: module).reduce(0) { sum, index in
      order.tensors[index].scalars.reduce(sum) { $0 + Double($1) }
    }
  }

  /// How many of a graft's numbers are each module's.
  func counts(_ graft: Graft) -> [(ModuleSite, Int)] {
    modules.map { module in
      (
        module,
        tensors(of: module).reduce(0) { sum, index in
          sum + graft.order.tensors[index].scalars.count { $0 >= graft.limit }
        }
      )
    }
  }

  private func tensors(of module: ModuleSite) -> [Int] {
    names.indices.filter { pair.base.names.module(of: names[$0]) == module }
  }

  /// Which share of the change of the answers grafts of growing sizes bring, up to the first that brings enough.
  ///
  /// Not the share of the divergence that they undo: numbers of positive worth alone overshoot, and undo less of it the more of them
  /// there are.
  func restored(_ order: OrderedNumbers, _ sizes: [Double], until goal: Float) -> [Float] {
    var shares: [Float] = []
    for size in sizes {
      let answers = grafted(Graft(order, size)).forward(text, logits: .at(indices)).logits
      shares.append(change.recovery(answers.logProbabilities))
      if shares[shares.count - 1] >= goal { break }
    }
    return shares
  }

  /// The base with a graft.
  private func grafted(_ graft: Graft) -> any LanguageModel {
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    return pair.base.adding(to: names) { [pair] name, rows, window in
      guard let place = places[name] else { return }
      let values = graft.order.tensors[place], change = pair.change(of: name, rows: rows)
      let first = rows.lowerBound * window.columns
      let mask = change.scalars.indices.map { values[first + $0] >= graft.limit ? Float(1) : 0 }
      addScaled(Matrix(change * Tensor(shape: change.shape, scalars: mask)), to: window)
    }
  }

  /// A million numbers are no short edit.
  private static let mostNumbers = 1 << 20

  /// A graft as edits; nil if it is of too many numbers to be any finding.
  func edits(_ graft: Graft) -> [TensorEdit]? {
    guard graft.share * Double(graft.order.count) < Double(Self.mostNumbers) else { return nil }
    return names.indices.compactMap { index in
      let values = graft.order.tensors[index], change = pair.change(of: names[index])
      let places = values.scalars.indices.filter { values[$0] >= graft.limit && change[$0] != 0 }
      return places.isEmpty
        ? nil
        : TensorEdit(
          name: names[index],
          change: .sparse(indices: places, values: places.map { change[$0] }))
    }
  }
}
