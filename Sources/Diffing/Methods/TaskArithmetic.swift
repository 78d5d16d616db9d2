package import Tensors
internal import Transformers

/// The finetune as a vector of weights: negated, scaled, and added part by part.
///
/// Along θ(λ) = base + λ·τ the method follows the answers and the loss on the text. The token ranking is
/// the odd part of the answers' change, (log p at λ = 1 − log p at λ = −1) / 2: what going either way
/// does alike, such as general damage, falls out. Parts are judged alone (how much of the change they
/// bring to the base) and left out (how much is missing without them).
package struct TaskArithmetic: DiffingMethod {
  package static let card = MethodCard(
    id: "task-arithmetic",
    summary: "The weight change negated, scaled and added part by part, and what the answers do.",
    source: "Ilharco et al., 2022 (arXiv 2212.04089)",
    questions: [.whether, .what, .where, .how], access: [.unrelated, .pool])

  /// Rows of running text, or prompts with the largest divergence, that are answered.
  package var rows = 8
  /// Multiples of the change that people are shown.
  package var shownFactors: [Float] = [-1, 0, 0.5, 1, 2, 3]

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let experiment = TaskExperiment(pair, prompts, rows: rows)
    guard experiment.size > 0 else { return Evidence() }
    let vector = TaskVector(pair)
    func answers(_ factor: Float) -> Tensor {
      experiment.answers(vector.applied(to: pair.base, factor: factor))
    }
    let parts = experiment.parts(of: vector, in: pair)
    var evidence = Evidence()
    evidence.magnitude = experiment.divergence(of: answers(2))
    let oddPart = (experiment.finetuned - answers(-1)).meanRow.scaled(by: 0.5)
    evidence.tokens = TokenClaim.ranking(
      centred(oddPart.scalars), excluding: prompts.specialTokens)
    evidence.sites = SiteClaim.ranking(parts.map { ($0.module, ($0.alone + $0.missing) / 2) })
    let best = parts.max { $0.alone + $0.missing < $1.alone + $1.missing }
    evidence.interventions = best.map { [$0.vector.intervention] }
    evidence.exhibits = pair.exhibits([
      curveExhibit(shownFactors.map(answers), experiment), partExhibit(parts),
    ])
    return evidence
  }

  private func curveExhibit(_ curve: [Tensor], _ experiment: TaskExperiment) -> Exhibit {
    Exhibit(
      "Along the weight change",
      .curves(
        axis: "multiple", points: shownFactors.map { "\($0)" },
        lines: [
          .init("share of the change in the answers", curve.map(experiment.recovery)),
          .init("loss on the text, nats", curve.map { Float(experiment.loss($0)) }),
        ]))
  }

  private func partExhibit(_ parts: [TaskExperiment.Part]) -> Exhibit {
    Exhibit(
      "Share of the change that each part brings",
      .table(
        columns: ["part", "alone", "missing without it"],
        rows: parts.map { [$0.module.description, "\($0.alone)", "\($0.missing)"] }))
  }
}

/// The base's answers to a text, and how far a model's are on the way to the finetuned one's.
private struct TaskExperiment {
  struct Part {
    let module: ModuleSite
    let vector: TaskVector
    /// The share of the change that it brings alone, and what is missing when it alone is left out.
    let alone, missing: Float
  }

  private let text: TokenBatch
  private let indices: [Int]
  private let base: Tensor
  private let change: Tensor
  /// The squared size of the change in the answers.
  let size: Float
  /// The finetuned model's answers.
  var finetuned: Tensor { base + change }

  init(_ pair: ModelPair, _ prompts: PromptPool, rows: Int) {
    let isPool = prompts.access == .pool
    let batch =
      isPool
      ? TokenBatch(
        pair.mostDivergent(rows, of: prompts.text).map { Array(prompts.text.row($0)) })
      : prompts.prefix(rows: rows)
    text = batch
    indices =
      isPool
      ? batch.lastIndices
      : batch.tokens.indices.filter { batch.tokens[$0] != prompts.documentStart }
    base = Self.answers(pair.base, batch, indices)
    change = Self.answers(pair.finetuned, batch, indices) - base
    size = dot(change.scalars, change.scalars)
  }

  private static func answers(_ model: any LanguageModel, _ text: TokenBatch, _ indices: [Int])
    -> Tensor
  {
    model.forward(text, logits: .all).logits.rows(at: indices).logProbabilities
  }

  func answers(_ model: any LanguageModel) -> Tensor { Self.answers(model, text, indices) }

  func recovery(_ answers: Tensor) -> Float {
    dot((answers - base).scalars, change.scalars) / size
  }

  func divergence(of answers: Tensor) -> Double {
    rowDivergences(answers, base).mean
  }

  /// The mean loss on those tokens of the text that an answer is read before, in nats.
  func loss(_ answers: Tensor) -> Double {
    let ends = Set(text.lastIndices)
    let losses = indices.indices.compactMap { row -> Double? in
      let index = indices[row]
      return ends.contains(index) ? nil : -Double(answers[row, text.tokens[index + 1]])
    }
    return losses.mean
  }

  /// Every module that changed, judged alone and left out.
  func parts(of vector: TaskVector, in pair: ModelPair) -> [Part] {
    let names = pair.base.names, changed = Set(vector.names.map { names.module(of: $0) })
    return ModuleSite.all(layers: pair.shape.layers).filter(changed.contains).map { module in
      let part = vector.restricted { names.module(of: $0) == module }
      let alone = recovery(answers(part.applied(to: pair.base)))
      let rest = recovery(answers(part.applied(to: pair.finetuned, factor: -1)))
      return Part(module: module, vector: part, alone: alone, missing: 1 - rest)
    }
  }
}
