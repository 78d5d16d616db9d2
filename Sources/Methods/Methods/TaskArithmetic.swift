package import Diffing
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
    questions: [.whether, .what, .where, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "mean Jensen-Shannon divergence between the answers of base and base plus twice the change",
      unit: "nats"))

  /// Rows of running text, or prompts with the largest divergence, that are answered.
  package var rows = 8
  /// Multiples of the change that people are shown.
  package var shownFactors: [Float] = [-1, 0, 0.5, 1, 2, 3]

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let experiment = TaskExperiment(pair, prompts, rows: rows)
    guard experiment.change.isSeen else { return Evidence() }
    let vector = TaskVector(pair)
    func answers(_ factor: Float) -> Tensor {
      experiment.answers(vector.applied(to: pair.base, factor: factor))
    }
    let parts = experiment.parts(of: vector, in: pair)
    var evidence = Evidence()
    evidence.magnitude = experiment.change.divergence(of: answers(2))
    let oddPart = (experiment.change.finetuned - answers(-1)).meanRow.scaled(by: 0.5)
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
    let losses = curve.compactMap { experiment.loss($0).map(Float.init) }
    return Exhibit(
      "Along the weight change",
      .curves(
        axis: "multiple", points: shownFactors.map { "\($0)" },
        lines: [
          .init("share of the change in the answers", curve.map(experiment.change.recovery))
        ] + (losses.isEmpty ? [] : [.init("loss on the text, nats", losses)])))
  }

  private func partExhibit(_ parts: [TaskExperiment.Part]) -> Exhibit {
    Exhibit(
      "Share of the change that each part brings",
      .table(
        columns: ["part", "alone", "missing without it"],
        rows: parts.map { [.text($0.module.description), .number($0.alone), .number($0.missing)] }))
  }
}

/// Models' answers to some text.
private struct TaskExperiment {
  struct Part {
    let module: ModuleSite
    let vector: TaskVector
    /// The share of the change that it brings alone, and what is missing when it alone is left out.
    let alone, missing: Float
  }

  private let text: TokenBatch
  private let indices: [Int]
  private let base, finetuned: RecordedStreams
  let change: AnswerChange

  init(_ pair: ModelPair, _ prompts: PromptSet, rows: Int) {
    let answered = prompts.with(rows: prompts.answeredRows(rows, of: pair))
    text = answered.text
    indices = answered.answerIndices
    base = RecordedStreams(pair.base, on: text, logits: .at(indices))
    finetuned = RecordedStreams(pair.finetuned, on: text, logits: .at(indices))
    change = AnswerChange(
      base: base.logits.logProbabilities, finetuned: finetuned.logits.logProbabilities)
  }

  func answers(_ model: any LanguageModel) -> Tensor {
    model.forward(text, logits: .at(indices)).logits.logProbabilities
  }

  /// The mean loss on those tokens of the text that an answer is read before, in nats; nil if there are none,
  /// as in a pool.
  func loss(_ answers: Tensor) -> Double? {
    let ends = Set(text.lastIndices)
    let losses = indices.indices.compactMap { row -> Double? in
      let index = indices[row]
      return ends.contains(index) ? nil : -Double(answers[row, text.tokens[index + 1]])
    }
    return losses.isEmpty ? nil : losses.mean
  }

  /// Every module that changed, judged alone and left out.
  func parts(of vector: TaskVector, in pair: ModelPair) -> [Part] {
    let names = pair.base.names, changed = Set(vector.names.map { names.module(of: $0) })
    let modules = ModuleSite.all(layers: pair.shape.layers).filter(changed.contains)
    let parts = modules.map { module in
      vector.restricted { names.module(of: $0) == module }
    }
    func recoveries(_ streams: RecordedStreams, _ model: any LanguageModel, factor: Float)
      -> [Float]
    {
      let changed = zip(modules, parts).map {
        (module: $0, model: $1.applied(to: model, factor: factor))
      }
      return streams.figures(changed, at: indices, change.recovery)
    }
    let alone = recoveries(base, pair.base, factor: 1)
    let rest = recoveries(finetuned, pair.finetuned, factor: -1)
    return modules.indices.map {
      Part(module: modules[$0], vector: parts[$0], alone: alone[$0], missing: 1 - rest[$0])
    }
  }
}
