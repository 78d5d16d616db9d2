import Methods
import Diffing
import TestSupport
import Tensors
import Testing
import Transformers

/// Methods on pairs whose change is known exactly.
@Suite("Methods on known changes")
struct ClosedFormTests: KnownChangeSuite {
  /// The base with a vector added to the residual stream before the last block's end.
  private func biased(_ vector: Tensor) -> (base: any LanguageModel, finetuned: any LanguageModel) {
    let wide = base.addingMLPBiases()
    var finetuned = wide
    finetuned.parameters["model.layers.2.mlp.down_proj.bias"] = vector
    return (wide, finetuned)
  }

  /// The direction whose lens names `token` most.
  private func direction(of token: Int, norm: Float) -> Tensor {
    let row = Tensor(Array(base.parameters[base.names.unembedding].row(token)))
    let gain = base.parameters[base.names.finalNorm]
    let raw = row * gain
    return raw.scaled(by: norm / raw.norm)
  }

  @Test("a pure residual bias is read and steered by the activation methods, sign included")
  func residualBias() throws {
    let planted = direction(of: 7, norm: 3)
    let scores = LogitLens(base).scores(along: planted.reshaped([1, planted.count]))
    let token = scores.row(0).indexOfLargest
    for sign in [Float(1), -1] {
      let (wide, finetuned) = biased(planted.scaled(by: sign))
      let pair = try ModelPair(base: wide, finetuned: finetuned)
      for method in [ActivationDifferenceLens(), LogitLensDifference()] as [any DiffingMethod] {
        var generator = SeededGenerator(seed: 1)
        let evidence = try method.evidence(
          for: pair, on: MethodContractTests.prompts(.unrelated), using: &generator)
        let claim = evidence.tokens?.first { $0.token == token }
        #expect(claim?.sign == Int(sign), "\(method.card.id)")
      }
      var generator = SeededGenerator(seed: 1)
      let lens = try ActivationDifferenceLens().evidence(
        for: pair, on: MethodContractTests.prompts(.unrelated), using: &generator)
      #expect(lens.sites?.first?.site == .mlp(layer: 2))
      if sign > 0 { #expect(lens.tokens?.first?.token == token) }
      guard case .steer(_, let vector)? = lens.interventions?.last else {
        Issue.record("no steering proposed")
        continue
      }
      #expect(cosine(Tensor(vector), planted.scaled(by: sign)) > 0.999)
    }
  }

  @Test("every method that names tokens promotes the token that a bias promotes most")
  func signs() throws {
    let wide = base.addingMLPBiases()
    var finetuned = wide
    finetuned.parameters["model.layers.1.mlp.down_proj.bias"] = direction(of: 7, norm: 8)
    let pair = try ModelPair(base: wide, finetuned: finetuned)
    let text = MethodContractTests.prompts(.unrelated)
    func outputs(_ side: ModelPair.Side) -> Tensor {
      pair.logits(side, on: text.text, at: text.countedTokens).logProbabilities
    }
    var shift = (outputs(.finetuned) - outputs(.base)).meanRow.scalars
    for special in text.specialTokens { shift[special] = -.infinity }
    let token = shift[...].indexOfLargest
    let contrastive = ActivationSteering.card.id
    // These read other tokens than promoted ones: keys, directions that a constant does not vary, words that were said before or
    // come by and by.
    let others = [
      AttentionDifference.card.id, DifferencePCA.card.id, WeightWatch.card.id,
      TraitProjection.card.id, ActivationOracle.card.id, TranscoderAdapter.card.id,
      StageWise.card.id,
    ]
    let naming = Methods.all.filter {
      $0.card.questions.contains(.what) && !others.contains($0.card.id)
    }
    for type in naming where !type.card.access.contains(.weights) {
      // A contrast between prompts removes what all of them share.
      for access in type.card.access where (type.card.id, access) != (contrastive, .pool) {
        var generator = SeededGenerator(seed: 1)
        let evidence = try type.init().evidence(
          for: pair, on: MethodContractTests.prompts(access), using: &generator)
        let claim = evidence.tokens?.first { $0.token == token }
        #expect(claim?.sign == 1, "\(type.card.id) from \(access)")
      }
    }
  }

  @Test("the start token is outside of the mean, wherever a document starts")
  func startToken() throws {
    var finetuned = base
    var embedding = base.parameters[base.names.embedding]
    for column in 0..<embedding.columns { embedding[1, column] += 30 }
    finetuned.parameters[base.names.embedding] = embedding
    let pair = try ModelPair(base: base, finetuned: finetuned)
    let text = TokenBatch(TinyModels.rows([5, 6, 7]).map { [1] + $0 + [1] + $0 })
    let pool = PromptSet(
      access: .unrelated, text: text, documentStart: 1, specialTokens: [0, 1])
    #expect(pool.countedTokens.allSatisfy { text.tokens[$0] != 1 })
    var generator = SeededGenerator(seed: 1)
    let right = try ActivationDifferenceLens().evidence(for: pair, on: pool, using: &generator)
    let mutant = PromptSet(
      access: .unrelated, text: text, documentStart: 99, specialTokens: [0, 1])
    let wrong = try ActivationDifferenceLens().evidence(for: pair, on: mutant, using: &generator)
    #expect((wrong.magnitude ?? 0) > 1.2 * (right.magnitude ?? 0))
  }

  @Test("a rank-one update of one matrix is located, read and proposed")
  func rankOne() throws {
    let token = 5, name = "model.layers.1.mlp.down_proj.weight"
    var finetuned = base
    var generator = SeededGenerator(seed: 3)
    let left = direction(of: token, norm: 2).reshaped([12, 1])
    let right = generator.direction(10).reshaped([1, 10])
    let update = matrixProduct(left, right)
    finetuned.parameters[name] = base.parameters[name] + update
    let spectrum = try evidence(WeightSpectrum(), finetuned, access: .weights)
    #expect(spectrum.sites?.first?.site == .mlp(layer: 1))
    #expect(Set((spectrum.tokens ?? []).prefix(2).map(\.token)).contains(token))
    guard case .weights(let changes)? = spectrum.interventions?.first else {
      Issue.record("no weight change proposed")
      return
    }
    #expect(changes.map(\.name) == [name])
    let proposed = try #require(changes[0].tensor(in: ModelPair(base: base, finetuned: finetuned)))
    expectClose(proposed, update, tolerance: 1e-4)
    let norm = try evidence(WeightNorm(), finetuned, access: .weights)
    #expect(norm.sites?.first?.site == .mlp(layer: 1))
    #expect(norm.tokens == nil)
    let patching = try evidence(ActivationPatching(), finetuned, access: .pool)
    #expect(patching.sites?.first?.site == .mlp(layer: 1))
    #expect(abs((patching.sites?.first?.score ?? 0) - 1) < 1e-3)
  }

  @Test("the module that was changed is found, although later ones change more")
  func causalSite() throws {
    // A change in block 0 moves everything after it; only the swap tells where it sits.
    var finetuned = base
    let name = "model.layers.0.self_attn.o_proj.weight"
    finetuned.parameters[name] = base.parameters[name].scaled(by: 1.5)
    let patching = try evidence(ActivationPatching(), finetuned, access: .pool)
    #expect(patching.sites?.first?.site == .attention(layer: 0))
    #expect((patching.sites?.dropFirst() ?? []).allSatisfy { abs($0.score) < 1e-4 })
  }
}
