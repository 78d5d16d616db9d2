package import Diffing
package import Tensors
internal import Transformers

/// The mean activation difference on text, read through the logit lens and by patchscope, and proposed
/// for steering.
///
/// On text that has nothing to do with a narrow finetune, the mean difference over the first tokens
/// still names its domain (Minder et al., 2025).
package struct ActivationDifferenceLens: DiffingMethod {
  package static let card = MethodCard(
    id: "activation-difference-lens",
    summary: "Mean difference of the residual streams, read through the logit lens and patchscope.",
    source: "Minder et al., 2025 (arXiv 2510.13900)",
    questions: [.whether, .what, .when, .where, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "‖mean of h′ − h over the first tokens‖ / mean ‖h‖, mean over readable blocks",
      unit: "share of the stream's norm"))

  /// Positions of each row that the mean is taken over, counted from 0 at the row's first token.
  package var positions = 1...16
  /// Lengths that patchscope tries, as multiples of the mean activation.
  package var scales: [Float] = [0.5, 1, 2, 4]
  /// Whether what patchscope reads is merged into the tokens, by turns with the lens.
  package var usesPatchscope = false
  /// Random directions beside the difference, in patchscope and in the causal check.
  package var controls = 4
  /// Rows of the text that the causal check reads.
  package var causalRows = 8

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let text = prompts.text
    let indices = prompts.countedTokens(at: positions).flatMap { $0 }
    let all = MeanDifference.all(pair, on: text, at: indices)
    let differences = all.readable
    guard let first = differences.first else { return Evidence() }
    let randoms = (0..<controls).map { _ in generator.direction(pair.shape.width) }
    func scope() -> PatchscopeReading {
      Patchscope(
        pair.finetuned, layer: first.layer, prompts: prompts,
        activationNorm: first.activationNorm, scales: scales
      ).read(first.vector, controls: randoms)
    }
    func causal() -> CausalCheck {
      CausalCheck(pair, layer: first.layer, text: prompts.prefix(rows: causalRows))
    }
    var evidence = Evidence()
    evidence.magnitude = differences.map { Double($0.share) }.mean
    evidence.tokens = tokens(
      differences.map(\.vector), usesPatchscope ? scope() : nil, pair,
      excluding: prompts.specialTokens)
    evidence.sites = sites(pair, text: text, indices: indices, streams: all.map(\.activationNorm))
    evidence.interventions = differences.compactMap(\.steering)
    if prompts.access == .pool { evidence.inputs = inputs(pair, text: text, layer: first.layer) }
    evidence.exhibits = pair.exhibits([
      lensExhibit(differences, pair, excluding: prompts.specialTokens),
      scope().exhibit(excluding: prompts.specialTokens),
      causal().exhibit(
        first.vector, controls: randoms, scope: Exhibit.reading(causalRows, of: text.rows, "rows")),
    ])
    return evidence
  }

  private func tokens(
    _ means: [Tensor], _ scope: PatchscopeReading?, _ pair: ModelPair, excluding: Set<Int>
  ) -> [TokenClaim] {
    let lens = Decoding.tokens(along: means, of: pair, excluding: excluding) ?? []
    guard let scope else { return lens }
    return TokenClaim.roundRobin([lens, scope.claims(excluding: excluding)])
  }

  /// How much each module's mean output changed, relative to its size.
  private func sites(
    _ pair: ModelPair, text: TokenBatch, indices: [Int], streams: [Float]
  ) -> [SiteClaim]? {
    let outputs = (0..<pair.shape.layers).flatMap { layer -> [(ModuleSite, ActivationSite)] in
      [
        (.attention(layer: layer), .attentionOutput(layer: layer)),
        (.mlp(layer: layer), .mlpOutput(layer: layer)),
      ]
    }
    return SiteClaim.ranking(
      outputs.map { module, site in
        let change = pair.difference(at: site, on: text).rows(at: indices).meanRow.norm
        let size = pair.activationNorm(at: site, on: text, indices)
        let stream = streams[module.layer ?? 0]
        // A module that wrote next to nothing is no reason to divide by it.
        return (module, change / max(size, 1e-3 * stream, .leastNormalMagnitude))
      })
  }

  /// Prompts by how much their last token's activation moved.
  private func inputs(_ pair: ModelPair, text: TokenBatch, layer: Int) -> [InputClaim]? {
    let site = ActivationSite.residualPost(layer: layer)
    return InputClaim.ranking(
      pair.difference(at: site, on: text).rows(at: text.lastIndices).rowNorms)
  }

  private func lensExhibit(
    _ differences: [MeanDifference], _ pair: ModelPair, excluding: Set<Int>
  ) -> Exhibit {
    differences.exhibit(
      "Tokens along the mean difference",
      differences.map {
        Decoding.tokens(along: [$0.vector], of: pair, excluding: excluding) ?? []
      })
  }
}
