package import Diffing
package import Tensors
internal import Transformers

/// Which parts of the finetuned model bring its outputs about in the base, to first order: a patching experiment
/// of all modules at once.
///
/// Of a small change δ of what a module adds to the stream, the answers change by ⟨∂m/∂z, δ⟩, m being how far the
/// answers lie along the finetuned model's. The gradient takes one pass back through the base, and δ is one of two:
/// of a *patch* what the module adds in the finetuned model less what it adds in the base; of *swapped weights* what
/// the finetuned module makes of the base's own streams, of all modules in one pass, so that no change upstream
/// counts.
package struct AttributionPatching: DiffingMethod {
  package static let card = MethodCard(
    id: "attribution-patching",
    summary: "Gradients of the base's answers times what finetuning changed in each part.",
    source: "Syed, Rager and Conmy, 2023 (arXiv 2310.10348), across models",
    questions: [.where, .how], access: [.pool])

  /// Prompts that are read, those with the largest divergence.
  package var promptCount = 32
  /// The least share of the change that a proposed patch brings.
  package var threshold: Float = 0.05

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let text = prompts.with(rows: prompts.answeredRows(promptCount, of: pair)).text
    guard let experiment = AttributionExperiment(pair, text: text) else { return Evidence() }
    let modules = pair.blockModules
    let patched = experiment.patched(modules)
    let swapped = experiment.swapped(ModuleSite.all(layers: pair.shape.layers))
    var evidence = Evidence()
    evidence.sites = SiteClaim.ranking(swapped)
    let best = patched.max { $0.share < $1.share }
    evidence.interventions = best.flatMap { $0.share > threshold ? [.patch($0.module)] : nil }
    let shares = Dictionary(uniqueKeysWithValues: swapped.map { ($0.module, $0.share) })
    evidence.exhibits = pair.exhibits([
      Exhibit(
        "Share of the change that each module brings, to first order",
        .heatMap(
          rows: modules.map(\.description), columns: ["patched into the base", "weights swapped"],
          values: patched.map { [$0.share, shares[$0.module] ?? 0] })),
      experiment.headMap,
    ])
    return evidence
  }
}

/// Answers to some prompts, and how they depend on what each part of the base adds.
private struct AttributionExperiment {
  private let pair: ModelPair
  private let text: TokenBatch
  private let change: AnswerChange
  private let base: SiteGradients
  private let finetuned: ForwardPass
  private var layers: Range<Int> { 0..<pair.shape.layers }

  /// Reads both models and goes back through the base; nil if they answer alike.
  init?(_ pair: ModelPair, text: TokenBatch) {
    self.pair = pair
    self.text = text
    let layers = 0..<pair.shape.layers
    let parts = Set(
      layers.flatMap { layer -> [ActivationSite] in
        [.attentionOutput(layer: layer), .mlpOutput(layer: layer), .headOutput(layer: layer)]
      })
    let last = layers.last.map { [ActivationSite.residualPost(layer: $0)] } ?? []
    let streams = Set(Self.readStreams(layers) + last)
    let finetuned = pair.finetuned.forward(text, recording: parts, logits: .last)
    self.finetuned = finetuned
    var change: AnswerChange?
    base = pair.base.siteGradients(
      of: { logits in
        let seen = AnswerChange(
          base: logits.logProbabilities, finetuned: finetuned.logits.logProbabilities)
        change = seen
        return seen.recoveryFigure(logits)
      },
      on: text, at: parts, recording: parts.union(streams), editing: [], logits: .last)
    guard let change, change.isSeen else { return nil }
    self.change = change
  }

  /// The share of the change that comes, to first order, if modules of the blocks add what they add in the finetuned
  /// model.
  func patched(_ modules: [ModuleSite]) -> [(module: ModuleSite, share: Float)] {
    modules.map { ($0, $0.output.map { share($0, of: finetuned) } ?? 0) }
  }

  /// The share that comes, to first order, if modules have the finetuned weights.
  ///
  /// Those outside of the blocks write no output that the other model could be read for: their weights are swapped.
  func swapped(_ modules: [ModuleSite]) -> [(module: ModuleSite, share: Float)] {
    let vector = TaskVector(pair), names = pair.base.names
    let changed = Set(vector.names.map { names.module(of: $0) })
    let local = changed.contains { $0.layer != nil } ? readingBase : base.pass
    return modules.map { module in
      guard changed.contains(module) else { return (module, 0) }
      guard module.layer != nil, let output = module.output else {
        return (module, swapped(vector.restricted { names.module(of: $0) == module }, module))
      }
      return (module, share(output, of: local))
    }
  }

  /// What the finetuned modules make of the base's streams, each of those it would read in the base.
  private var readingBase: ForwardPass {
    let outputs = layers.flatMap { layer -> [ActivationSite] in
      [.attentionOutput(layer: layer), .mlpOutput(layer: layer)]
    }
    return pair.finetuned.forward(
      text, recording: Set(outputs),
      editing: Self.readStreams(layers).map { .patch($0, with: base.pass[$0]) },
      logits: .none)
  }

  /// The streams that the modules of the blocks read.
  private static func readStreams(_ layers: Range<Int>) -> [ActivationSite] {
    layers.flatMap { [.residualPre(layer: $0), .residualMid(layer: $0)] }
  }

  /// The share that comes with the finetuned weights of a module outside of the blocks.
  private func swapped(_ part: TaskVector, _ module: ModuleSite) -> Float {
    let last = layers.last.map { ActivationSite.residualPost(layer: $0) }
    let start: [Intervention] =
      module == .embedding ? [] : last.map { [.patch($0, with: base.pass[$0])] } ?? []
    let pass = part.applied(to: pair.base).forward(
      text, recording: [], editing: start, logits: .last)
    return change.recovery(pass.logits.logProbabilities)
  }

  private func share(_ site: ActivationSite, of other: ForwardPass) -> Float {
    guard let gradient = base.gradients[site] else { return 0 }
    return dot(gradient.scalars, (other[site] - base.pass[site]).scalars)
  }

  /// What each head brings, before the output projection, which stays the base's.
  var headMap: Exhibit {
    let heads = pair.shape.heads, width = pair.shape.headWidth
    let values = layers.map { layer -> [Float] in
      let site = ActivationSite.headOutput(layer: layer)
      guard let gradient = base.gradients[site] else { return [] }
      let products = gradient * (finetuned[site] - base.pass[site])
      return (0..<heads).map { head in
        (0..<products.rows).reduce(0) { sum, row in
          sum + products.row(row).dropFirst(head * width).prefix(width).reduce(0, +)
        }
      }
    }
    return Exhibit(
      "Share of the change that each head brings, before the output projection, to first order",
      .heatMap(
        rows: values.indices.map { "block \($0)" }, columns: (0..<heads).map { "head \($0)" },
        values: values))
  }
}
