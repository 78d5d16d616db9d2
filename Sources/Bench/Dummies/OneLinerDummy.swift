package import Diffing
internal import Scoring
package import Tensors
internal import Transformers

/// The shortest answer to each question that looks at the pair.
///
/// Whether: the largest divergence of one answer. What: the tokens whose mean probability moved. When: the
/// divergence of each answer. Where: the norm of each module's change. How: a bias of the logits towards what
/// gained most, as steering after the last block. From weights alone: the norm of the change, the tokens whose
/// unembedding moved, and the module that changed most.
package struct OneLinerDummy: DiffingMethod {
  package static let card = MethodCard.dummy(
    "one-liner", "Answers each question by a line of code.", access: [.weights, .unrelated, .pool])

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    guard prompts.access != .weights else { return ofWeights(pair, prompts) }
    let isPool = prompts.access == .pool
    let indices = prompts.readIndices
    let base = pair.logProbabilities(.base, on: prompts.text, at: indices)
    let finetuned = pair.logProbabilities(.finetuned, on: prompts.text, at: indices)
    let divergences = rowDivergences(finetuned, base)
    let gains = (finetuned.exponentials - base.exponentials).meanRow.scalars
    var evidence = Evidence()
    evidence.magnitude = divergences.max()
    evidence.tokens = TokenClaim.ranking(gains, excluding: prompts.specialTokens)
    if isPool { evidence.inputs = InputClaim.ranking(divergences.map(Float.init)) }
    evidence.sites = sites(pair)
    evidence.interventions = [bias(pair, towards: gains[...].indexOfLargest)]
    return evidence
  }

  private func ofWeights(_ pair: ModelPair, _ prompts: PromptSet) -> Evidence {
    let sites = sites(pair)
    let unembedding = pair.base.names.unembedding
    var evidence = Evidence()
    evidence.magnitude = WeightChange(pair).map { Double($0.norm) }
    if pair.isChanged(unembedding) {
      evidence.tokens = TokenClaim.ranking(
        pair.change(of: unembedding).rowNorms, excluding: prompts.specialTokens)
    }
    evidence.sites = sites
    evidence.interventions = sites?.first.map { claim in
      let names = pair.base.parameters.layout.names.filter {
        pair.base.names.module(of: $0) == claim.site && pair.isChanged($0)
      }
      return [.finetune(of: names)]
    }
    return evidence
  }

  private func sites(_ pair: ModelPair) -> [SiteClaim]? {
    SiteClaim.ranking(pair.blockModules.map { ($0, WeightChange(pair, in: [$0])?.norm ?? 0) })
  }

  private func bias(_ pair: ModelPair, towards token: Int) -> ProposedIntervention {
    let row = Tensor(Array(pair.base.parameters[pair.base.names.unembedding].row(token)))
    return .steer(
      layer: pair.shape.layers - 1,
      direction: (row * pair.base.gain(pair.base.names.finalNorm)).scalars)
  }
}
