internal import Diffing
internal import Tensors
internal import Transformers

/// Reads a direction by putting it in place of an activation and letting the model go on
/// (Ghandeharioun et al., 2024, arXiv 2401.06102).
///
/// The published prompt asks a large model to repeat a word; a tiny model was never taught to. So the
/// direction takes the place of the last token's activation in a few beginnings of the given text, and the
/// next-token distribution is compared with what random directions of the same length give there. The
/// length is searched for without a judge: the one at which the direction is told from random ones best.
struct Patchscope {
  private let model: any LanguageModel
  private let layer: Int
  private let beginnings: [[Int]]
  private let activationNorm: Float
  private let scales: [Float]

  /// Beginnings of the text that the direction is put into.
  private static let count = 3
  /// Tokens of each.
  private static let length = 4

  init(
    _ model: any LanguageModel, layer: Int, prompts: PromptSet, activationNorm: Float,
    scales: [Float]
  ) {
    self.model = model
    self.layer = layer
    self.activationNorm = activationNorm
    self.scales = scales
    beginnings = (0..<min(Self.count, prompts.text.rows)).map {
      Array(prompts.text.row($0).prefix(Self.length))
    }
  }

  /// Reads a direction beside controls.
  func read(_ direction: Tensor, controls: [Tensor]) -> PatchscopeReading {
    let unit = direction.unit
    let shifts = scales.map { scale -> (shift: [Float], margin: Double) in
      let own = distribution(unit, scale), others = controls.map { distribution($0, scale) }
      guard !others.isEmpty else { return (own, 0) }
      let mean = own.indices.map { index in others.map { $0[index] }.mean }
      func distance(_ p: [Float]) -> Double { divergence(p[...], mean[...]) }
      return (
        centred(zip(own, mean).map { $0 - $1 }), distance(own) - others.map(distance).mean
      )
    }
    let best = shifts.indices.max { shifts[$0].margin < shifts[$1].margin } ?? 0
    return PatchscopeReading(
      scales: scales, margins: shifts.map { Float($0.margin) }, best: best,
      shift: shifts.isEmpty ? [] : shifts[best].shift)
  }

  /// The mean log-probabilities after beginnings that end in the direction.
  private func distribution(_ unit: Tensor, _ scale: Float) -> [Float] {
    let patch = Intervention(
      .replace(unit.scaled(by: scale * activationNorm)), at: .residualPost(layer: layer),
      positions: .last)
    return model.forward(TokenBatch(beginnings), recording: [], editing: [patch], logits: .last)
      .logits.logProbabilities.meanRow.scalars
  }
}

/// What patchscope read from one direction.
struct PatchscopeReading {
  let scales: [Float]
  /// How much further the direction's answers are from the controls' mean than a control's, in nats.
  let margins: [Float]
  let best: Int
  /// How much more likely each token is than under the controls, centred.
  let shift: [Float]

  func claims(excluding excluded: Set<Int>) -> [TokenClaim] {
    TokenClaim.ranking(shift, excluding: excluded)
  }

  func exhibit(excluding excluded: Set<Int>) -> Exhibit {
    let lists =
      scales.isEmpty
      ? []
      : [
        Exhibit.TokenList(
          "patchscope at \(scales[best]) times the activation, margin \(margins[best]) nats",
          Decoding.top(claims(excluding: excluded)))
      ]
    return Exhibit("Tokens that the mean difference is continued with", .tokens(lists))
  }
}

/// What a text's loss does when the finetuned model's component along a direction is set to the base's.
struct CausalCheck {
  private let pair: ModelPair
  private let layer: Int
  private let text: TokenBatch
  private let base: Tensor
  private let finetuned: Tensor

  init(_ pair: ModelPair, layer: Int, text: TokenBatch) {
    self.pair = pair
    self.layer = layer
    self.text = text
    let site = ActivationSite.residualPost(layer: layer)
    base = pair.base.forward(text, recording: [site])[site]
    finetuned = pair.finetuned.forward(text, recording: [site])[site]
  }

  /// The added loss, in nats, beside that of random directions.
  func exhibit(_ direction: Tensor, controls: [Tensor], scope: String) -> Exhibit {
    let plain = loss([])
    let own = loss([edit(direction)]) - plain
    let others = controls.map { loss([edit($0)]) - plain }
    return Exhibit(
      "Loss added by setting the component along a direction to the base's, nats" + scope,
      .table(
        columns: ["direction", "added loss"],
        rows: [["mean difference", .number(Float(own))]]
          + others.enumerated().map { [.text("random \($0)"), .number(Float($1))] }))
  }

  private func edit(_ direction: Tensor) -> Intervention {
    let unit = direction.unit
    return .patch(
      .residualPost(layer: layer), with: finetuned.projected(onto: base, along: unit))
  }

  private func loss(_ editing: [Intervention]) -> Double {
    let logits = pair.finetuned.forward(text, recording: [], editing: editing, logits: .all).logits
      .logProbabilities
    return -(0..<text.rows).flatMap { Array(text.range($0).dropLast()) }
      .map { Double(logits[$0, text.tokens[$0 + 1]]) }.mean
  }
}
