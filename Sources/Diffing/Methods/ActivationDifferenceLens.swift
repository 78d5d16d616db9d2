package import Tensors
internal import Transformers

/// The mean activation difference on text, read through the logit lens and proposed for steering.
///
/// On text that has nothing to do with a narrow finetune, the mean difference over the first tokens
/// still names its domain (Minder et al., 2025).
package struct ActivationDifferenceLens: DiffingMethod {
  package static let card = MethodCard(
    id: "activation-difference-lens",
    summary: "Mean difference of the residual streams, read through the logit lens.",
    source: "Minder et al., 2025 (arXiv 2510.13900)",
    questions: [.whether, .what, .when, .where, .how], access: [.unrelated, .pool])

  /// Positions of each row that the mean is taken over, counted from 0 at the row's first token.
  package var positions = 1...16
  /// The length of the proposed steering vector as a share of the mean activation.
  package var steeringShare: Float = 0.5

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let text = prompts.text
    let indices = (0..<text.rows).flatMap { row -> [Int] in
      let range = text.range(row)
      return range.filter {
        positions.contains($0 - range.lowerBound) && text.tokens[$0] != prompts.documentStart
      }
    }
    let layers = readableLayers(pair.shape.layers)
    let means = layers.map { layer in
      pair.difference(at: .residualPost(layer: layer), on: text).rows(at: indices).meanRow
    }
    let norms = layers.map { layer in
      pair.pass(.base, on: text)[.residualPost(layer: layer)].rows(at: indices).rowNorms.mean
    }
    let shares = zip(means, norms).map { $0.norm / max($1, .leastNormalMagnitude) }
    // Below single precision a difference is rounding, and its lens would be noise.
    guard shares.contains(where: { $0 > 1e-6 }) else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = shares.map(Double.init).mean
    evidence.tokens = tokens(means, pair, excluding: prompts.specialTokens)
    evidence.sites = sites(pair, text: text, indices: indices)
    evidence.interventions = zip(layers, zip(means, norms)).map { layer, vector in
      let (mean, norm) = vector
      let factor = steeringShare * norm / max(mean.norm, .leastNormalMagnitude)
      return .steer(layer: layer, direction: mean.scaled(by: factor).scalars)
    }
    if prompts.access == .pool { evidence.inputs = inputs(pair, text: text, layer: layers[0]) }
    return evidence
  }

  private func tokens(_ means: [Tensor], _ pair: ModelPair, excluding excluded: Set<Int>)
    -> [TokenClaim]
  {
    let lens = LogitLens(pair.finetuned)
    return TokenClaim.roundRobin(
      means.map { mean in
        let scores = lens.scores(along: mean.reshaped([1, mean.count])).scalars
        // A shift of all logits changes no probability.
        let centre = scores.mean
        return TokenClaim.ranking(scores.map { $0 - centre }, excluding: excluded)
      })
  }

  /// How much each module's mean output changed, relative to its size.
  private func sites(_ pair: ModelPair, text: TokenBatch, indices: [Int]) -> [SiteClaim] {
    let outputs = (0..<pair.shape.layers).flatMap { layer -> [(ModuleSite, ActivationSite)] in
      [
        (.attention(layer: layer), .attentionOutput(layer: layer)),
        (.mlp(layer: layer), .mlpOutput(layer: layer)),
      ]
    }
    return SiteClaim.ranking(
      outputs.map { module, site in
        let change = pair.difference(at: site, on: text).rows(at: indices).meanRow.norm
        let size = pair.pass(.base, on: text)[site].rows(at: indices).rowNorms.mean
        return (module, change / max(size, .leastNormalMagnitude))
      })
  }

  /// Prompts by how much their last token's activation moved.
  private func inputs(_ pair: ModelPair, text: TokenBatch, layer: Int) -> [InputClaim] {
    let site = ActivationSite.residualPost(layer: layer)
    return InputClaim.ranking(
      pair.difference(at: site, on: text).rows(at: text.lastIndices).rowNorms)
  }
}
