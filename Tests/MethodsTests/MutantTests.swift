import Methods
import Diffing
import TestSupport
import Tensors
import Testing
import Transformers

/// Broken variants of what methods do, after mistakes that were seen in published code.
///
/// Each has to lose what the right one finds; a test that no mutant can fail tests nothing.
@Suite("Mutants of methods")
struct MutantTests {
  let base = MethodContractTests.base
  let text = MethodContractTests.prompts(.unrelated).text

  private func direction(_ seed: UInt64 = 5) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return generator.direction(base.shape.width, norm: 3)
  }

  /// The base beside itself with a vector added after the last block.
  private func biasedPair(_ vector: Tensor) throws -> ModelPair {
    let wide = base.addingMLPBiases()
    var finetuned = wide
    finetuned.parameters["model.layers.2.mlp.down_proj.bias"] = vector
    return try ModelPair(base: wide, finetuned: finetuned)
  }

  private func tokens(_ method: any DiffingMethod, _ pair: ModelPair) throws -> [TokenClaim] {
    var generator = SeededGenerator(seed: 1)
    return try method.evidence(
      for: pair, on: MethodContractTests.prompts(.unrelated), using: &generator
    ).tokens ?? []
  }

  @Test("base minus finetuned instead of finetuned minus base: every claim changes sign")
  func wrongSign() throws {
    let pair = try biasedPair(direction())
    let mutant = try ModelPair(base: pair.finetuned, finetuned: pair.base)
    let methods: [any DiffingMethod] = [
      ActivationDifferenceLens(), LogitLensDifference(), OutputDivergence(),
    ]
    for method in methods {
      let right = try tokens(method, pair), wrong = try tokens(method, mutant)
      let promoted = right.filter { $0.sign == 1 }.prefix(3).map(\.token)
      let kept = wrong.filter { $0.sign == 1 && promoted.contains($0.token) }
      #expect(kept.isEmpty, "\(method.card.id)")
    }
  }

  /// The place of a token among those that a method promotes, 1 being first.
  private func place(of token: Int, _ evidence: Evidence) -> Int {
    let promoted = (evidence.tokens ?? []).filter { $0.sign == 1 }.map(\.token)
    return (promoted.firstIndex(of: token) ?? base.shape.vocabulary) + 1
  }

  private func broken(_ pair: ModelPair, _ fault: BrokenModel.Fault) throws -> ModelPair {
    try ModelPair(
      base: BrokenModel(model: pair.base, fault: fault),
      finetuned: BrokenModel(model: pair.finetuned, fault: fault))
  }

  private func evidence(
    _ method: any DiffingMethod, _ pair: ModelPair, _ prompts: PromptSet
  ) throws -> Evidence {
    var generator = SeededGenerator(seed: 1)
    return try method.evidence(for: pair, on: prompts, using: &generator)
  }

  // Components say nothing of a change that is the same everywhere, so they are no reader of this one.
  static let readers: [any DiffingMethod] = [
    LogitLensDifference(), ActivationDifference(), ActivationDifferenceLens(), ReadableTrace(),
  ]

  @Test(
    "reading the stream before a block instead of after it misses what the last block adds",
    arguments: readers.indices)
  func offByOneLayer(index: Int) throws {
    let method = Self.readers[index], prompts = MethodContractTests.prompts(.unrelated)
    let pair = try biasedPair(KnownChange.direction(of: 7, norm: 4))
    let right = try evidence(method, pair, prompts)
    let mutant = try evidence(method, broken(pair, .readsBlockBefore), prompts)
    #expect(right.magnitude ?? 0 > 0)
    #expect(mutant.isEmpty, "\(method.card.id) still says \(mutant.tokens?.count ?? 0) tokens")
  }

  // Divergences are bounded, so that one token of many never decides those of a lens: norms it does.
  @Test("counting the first token lets it decide", arguments: readers.indices.dropFirst())
  func firstTokenCounted(index: Int) throws {
    // The start token's embedding moves by much, towards a token that nothing else has to do with.
    let method = Self.readers[index]
    let (wide, biased) = KnownChange.biased(KnownChange.direction(of: 7, norm: 2), layer: 2)
    var finetuned = biased
    var embedding = wide.parameters[wide.names.embedding]
    let decoy = KnownChange.direction(of: 11, norm: 400)
    for column in 0..<embedding.columns { embedding[1, column] += decoy[column] }
    finetuned.parameters[wide.names.embedding] = embedding
    let pair = try ModelPair(base: wide, finetuned: finetuned)
    let prompts = MethodContractTests.prompts(.unrelated)
    let mutant = PromptSet(
      access: .unrelated, text: prompts.text, documentStart: -1, specialTokens: [0, 1])
    let right = try evidence(method, pair, prompts), wrong = try evidence(method, pair, mutant)
    #expect((wrong.magnitude ?? 0) > 1.5 * (right.magnitude ?? 1), "\(method.card.id)")
  }

  @Test("edits that are not carried out find no place and no steering")
  func editsIgnored() throws {
    let pair = try biasedPair(KnownChange.direction(of: 7, norm: 4))
    let pool = MethodContractTests.prompts(.pool), text = MethodContractTests.prompts(.unrelated)
    let mutant = try broken(pair, .ignoresEdits)
    #expect(try evidence(ActivationPatching(), pair, pool).interventions != nil)
    #expect(try evidence(ActivationPatching(), mutant, pool).interventions == nil)
    let steered = try evidence(ActivationSteering(), pair, text)
    #expect(place(of: 7, steered) <= 5)
    let unsteered = try evidence(ActivationSteering(), mutant, text)
    #expect(unsteered.tokens?.isEmpty == true && unsteered.magnitude == 0)
  }

  @Test("a stitch that always runs the finetuned model has a flat curve and names no module")
  func stitchingStub() throws {
    let text = MethodContractTests.prompts(.unrelated)
    let pair = try ModelPair(base: base, finetuned: MethodContractTests.finetuned)
    let stub = BrokenModel.Fault.runs(MethodContractTests.finetuned)
    let title = "Share of the change in the answers"
    let curve = try #require(try evidence(ModelStitching(), pair, text).curves(title)?.first)
    let mutant = try #require(
      try evidence(ModelStitching(), broken(pair, stub), text).curves(title)?.first)
    #expect(abs(curve[0]) < 1e-4 && abs((curve.last ?? 0) - 1) < 1e-4)
    #expect(Set(curve.map { Int($0 * 1000) }).count > 3)
    #expect(mutant.allSatisfy { abs($0 - 1) < 1e-3 }, "\(mutant)")
  }

  @Test("a method that names special tokens names them first where they moved most")
  func specialsNamed() throws {
    let pair = try biasedPair(KnownChange.direction(of: 1, norm: 6))
    let prompts = MethodContractTests.prompts(.unrelated)
    let mutant = PromptSet(
      access: .unrelated, text: prompts.text, documentStart: 1, specialTokens: [])
    for method in [OutputDivergence(), ActivationDifferenceLens(), DiffMining()]
      as [any DiffingMethod]
    {
      let right = try evidence(method, pair, prompts), wrong = try evidence(method, pair, mutant)
      #expect(place(of: 1, right) > base.shape.vocabulary, "\(method.card.id)")
      #expect(place(of: 1, wrong) == 1, "\(method.card.id)")
    }
  }

  @Test("a lens without the final norm's gain reads other tokens")
  func gainLeftOut() {
    let vector = direction().reshaped([1, base.shape.width])
    var mutant = base
    mutant.parameters[base.names.finalNorm] = Tensor(repeating: 1, shape: [base.shape.width])
    let right = LogitLens(base).scores(along: vector)
    let wrong = LogitLens(mutant).scores(along: vector)
    #expect(cosine(right, wrong) < 0.999)
  }

  @Test("a direction-blind recovery calls a random patch a full one")
  func directionBlind() throws {
    let pair = try biasedPair(direction())
    let site = ActivationSite.mlpOutput(layer: 2)
    let last = text.lastIndices
    func logits(_ editing: [Intervention]) -> Tensor {
      pair.base.forward(text, recording: [], editing: editing, logits: .last).logits
        .logProbabilities
    }
    let plain = logits([])
    let change = pair.logits(.finetuned, on: text, at: last).logProbabilities - plain
    let randoms = (70..<86).map { logits([.steer(site, along: direction($0))]) - plain }
    let blind = randoms.map { min(1, $0.norm / change.norm) }.mean
    let projected =
      randoms.map { dot($0.scalars, change.scalars) }.mean
      / dot(
        change.scalars, change.scalars)
    #expect(blind > 0.6)
    #expect(abs(projected) < blind / 2)
  }

  @Test("an effective rank of raw singular values depends on their scale")
  func unnormalisedRank() {
    func mutant(_ values: [Float]) -> Double {
      Double(exponential(Float(-values.reduce(0.0) { $0 + Double($1) * logarithm(Double($1)) })))
    }
    #expect(abs(Spectrum.effectiveRank([4, 4]) - Spectrum.effectiveRank([1, 1])) < 1e-6)
    #expect(abs(mutant([4, 4]) - mutant([1, 1])) > 0.5)
  }

  @Test("a handle that aliases the finetuned model finds nothing, and says so")
  func aliased() throws {
    let pair = try biasedPair(direction())
    let mutant = try ModelPair(base: pair.finetuned, finetuned: pair.finetuned)
    for type in Methods.all {
      for access in type.card.access {
        var generator = SeededGenerator(seed: 1)
        let evidence = try type.init().evidence(
          for: mutant, on: MethodContractTests.prompts(access), using: &generator)
        #expect(evidence.isEmpty, "\(type.card.id)")
      }
    }
  }

  @Test("one changed scalar is seen")
  func oneScalar() throws {
    var finetuned = base
    let name = "model.layers.1.self_attn.v_proj.weight"
    var tensor = base.parameters[name]
    tensor[0, 0] += 0.5
    finetuned.parameters[name] = tensor
    let pair = try ModelPair(base: base, finetuned: finetuned)
    #expect(pair.difference(at: .residualPost(layer: 0), on: text).norm == 0)
    #expect(pair.difference(at: .residualPost(layer: 1), on: text).norm > 0)
  }

  @Test("keeping the start token in attention hides what a head looks at")
  func sinkKept() throws {
    // A head whose mass rests on the start token: what it looks at besides changes completely.
    let base: [Float] = [0.96, 0.03, 0.01], finetuned: [Float] = [0.96, 0.01, 0.03]
    func without(_ row: [Float]) -> [Float] {
      let rest = row.dropFirst().reduce(0, +)
      return row.dropFirst().map { $0 / rest }
    }
    let right = jensenShannon(probabilities: without(base), without(finetuned)) / logarithm(2)
    let mutant = jensenShannon(probabilities: base, finetuned) / logarithm(3)
    #expect(right > 10 * mutant)
  }

  @Test("a judgement of steering without the unsteered value calls identical models steered")
  func unsubtracted() throws {
    // 1 / (1 + KL to the finetuned model) is 1 for identical models at every intensity of nothing.
    let text = TokenBatch(TinyModels.rows([6, 6]))
    let same = base.forward(text).logits.logProbabilities
    let mutant = 1 / (1 + rowDivergences(same, same).mean)
    #expect(mutant > 0.5)
    let evidence = try KnownChange.evidence(ActivationSteering(), base, access: .unrelated)
    #expect(evidence.isEmpty)
  }

  @Test("counting boosts without centring counts whatever a shift of all logits favours")
  func uncentred() {
    // One token rises by 1; at every other position all logits rise by 50, which is nothing.
    let rows = (0..<20).flatMap { row -> [Float] in
      let shift: Float = row % 2 == 0 ? 50 : 0
      return [1 + shift, shift, shift, shift, shift - 0.5, shift + 0.2]
    }
    let counts = BoostCounts(Tensor(shape: [20, 6], scalars: rows), depth: 1)
    #expect(counts.first == [20, 0, 0, 0, 0, 0])
    let means = (0..<6).map { token in (0..<20).map { rows[$0 * 6 + token] }.mean }
    #expect(means[1] > 20 && abs(counts.mean[1]) < 1)
  }

  @Test("a discovery rate without correction finds differences in equal models")
  func uncorrected() {
    var generator = SeededGenerator(seed: 4)
    let pValues = (0..<400).map { _ in Significance.normalTail(Float(generator.normal())) }
    #expect(pValues.filter { $0 < 0.05 }.count > 10)
    #expect(Significance.discoveries(pValues, rate: 0.05).isEmpty)
  }

  @Test("a range of extremes grows with the text, one of quantiles does not")
  func extremes() {
    var generator = SeededGenerator(seed: 4)
    let few = (0..<1000).map { _ in Float(generator.normal()) }
    let many = few + (0..<20_000).map { _ in Float(generator.normal()) }
    func width(_ values: [Float], _ tail: Double) -> Float {
      let range = UsualRange(values, tail: tail)
      return range.high - range.low
    }
    #expect(width(many, 0) > 1.1 * width(few, 0))
    #expect(abs(width(many, 0.01) / width(few, 0.01) - 1) < 0.1)
  }
}
