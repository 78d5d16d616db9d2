package import Diffing
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
    let indices = isPool ? prompts.text.lastIndices : Array(0..<prompts.text.tokens.count)
    let base = pair.logProbabilities(.base, on: prompts.text, at: indices)
    let finetuned = pair.logProbabilities(.finetuned, on: prompts.text, at: indices)
    let divergences = rowDivergences(finetuned, base)
    let gains = (finetuned.exponentials - base.exponentials).meanRow.scalars
    var evidence = Evidence()
    evidence.magnitude = divergences.max()
    evidence.tokens = TokenClaim.ranking(gains, excluding: prompts.specialTokens)
    if isPool { evidence.inputs = InputClaim.ranking(divergences.map(Float.init)) }
    evidence.sites = SiteClaim.ranking(
      ModuleSite.blocks(of: pair.shape).map { module in
        (module, WeightChangeNorm.of(module, in: pair))
      })
    evidence.interventions = [bias(pair, towards: gains[...].indexOfLargest)]
    return evidence
  }

  private func ofWeights(_ pair: ModelPair, _ prompts: PromptSet) -> Evidence {
    let sites = SiteClaim.ranking(
      ModuleSite.blocks(of: pair.shape).map { ($0, WeightChangeNorm.of($0, in: pair)) })
    let unembedding = pair.base.names.unembedding
    var evidence = Evidence()
    evidence.magnitude = Double(
      pair.base.parameters.layout.names.filter(pair.isChanged).map { pair.change(of: $0).norm }
        .reduce(0) { $0 + $1 * $1 }.squareRoot())
    if pair.isChanged(unembedding) {
      evidence.tokens = TokenClaim.ranking(
        pair.change(of: unembedding).rowNorms, excluding: prompts.specialTokens)
    }
    evidence.sites = sites
    evidence.interventions = sites?.first.map { claim in
      let names = pair.base.parameters.layout.names.filter {
        pair.base.names.module(of: $0) == claim.site && pair.isChanged($0)
      }
      return [.weights(names.map { TensorEdit(name: $0, change: .ofFinetune(factor: 1)) })]
    }
    return evidence
  }

  private func bias(_ pair: ModelPair, towards token: Int) -> ProposedIntervention {
    let row = Tensor(Array(pair.base.parameters[pair.base.names.unembedding].row(token)))
    return .steer(
      layer: pair.shape.layers - 1,
      direction: (row * pair.base.parameters[pair.base.names.finalNorm]).scalars)
  }
}

/// The norm of what finetuning changed in a module.
private enum WeightChangeNorm {
  static func of(_ module: ModuleSite, in pair: ModelPair) -> Float {
    pair.base.parameters.layout.names
      .filter { pair.base.names.module(of: $0) == module && pair.isChanged($0) }
      .map { pair.change(of: $0).norm }.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }
}

/// What the base says anyway.
package struct FrequencyDummy: DiffingMethod {
  package static let card = MethodCard.dummy(
    "frequency", "Names the base's likely words, and prompts by their form and its uncertainty.",
    questions: [.what, .when], access: [.unrelated, .pool])

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let indices =
      prompts.access == .pool
      ? prompts.text.lastIndices : Array(0..<prompts.text.tokens.count)
    let base = pair.logProbabilities(.base, on: prompts.text, at: indices)
    let mean = base.exponentials.meanRow.scalars
    var evidence = Evidence()
    evidence.tokens = TokenClaim.ranking(mean, excluding: prompts.specialTokens)
      .flatMap { claim in
        [1, -1].map { TokenClaim(token: claim.token, score: claim.score, sign: $0) }
      }
    if prompts.access == .pool {
      // Most special tokens first, of as many those whose answer is least certain.
      let text = prompts.text
      let uncertainty = base.rowSums(of: base.exponentials).map { -$0 }
      let most = uncertainty.max() ?? 0
      evidence.inputs = InputClaim.ranking(
        (0..<text.rows).map { row in
          let marks = text.row(row).filter(prompts.specialTokens.contains).count
          return Float(marks) * (most + 1) + uncertainty[row]
        })
    }
    return evidence
  }
}

extension Tensor {
  /// The sum of each row's products with another's.
  fileprivate func rowSums(of other: Tensor) -> [Float] {
    (0..<rows).map { dot(row($0), other.row($0)) }
  }
}
