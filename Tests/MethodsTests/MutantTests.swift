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

  @Test("reading the stream before a block instead of after it loses a change in that block")
  func offByOneLayer() throws {
    let pair = try biasedPair(direction())
    let right = pair.difference(at: .residualPost(layer: 2), on: text).meanRow
    let mutant = pair.difference(at: .residualPost(layer: 1), on: text).meanRow
    #expect(cosine(right, direction()) > 0.999)
    #expect(mutant.norm == 0)
    // And base after the block against finetuned before it: identical models differ.
    let pass = { (site: ActivationSite) in pair.activations(.base, at: site, on: text) }
    #expect((pass(.residualPost(layer: 2)) - pass(.residualPost(layer: 1))).norm > 1)
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

  @Test("counting the first token lets it decide the mean")
  func firstTokenCounted() throws {
    // Only the start token's embedding moves, and by much.
    var finetuned = base
    var embedding = base.parameters[base.names.embedding]
    for column in 0..<embedding.columns { embedding[1, column] += 30 }
    finetuned.parameters[base.names.embedding] = embedding
    let pair = try ModelPair(base: base, finetuned: finetuned)
    let prompts = MethodContractTests.prompts(.unrelated)
    let change = pair.difference(at: .embedding, on: text)
    let right = change.rows(at: prompts.countedTokens).rowNorms.mean
    let mutant = change.rows(at: Array(0..<text.count)).rowNorms.mean
    #expect(mutant > 10)
    #expect(right < mutant / 3)
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
    let change = pair.logits(.finetuned, on: text).rows(at: last).logProbabilities - plain
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
    #expect(abs(effectiveRank([4, 4]) - effectiveRank([1, 1])) < 1e-6)
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

  @Test("a stitching stub that always runs the finetuned model has a flat curve")
  func stitchingStub() throws {
    let evidence = try KnownChange.evidence(
      ModelStitching(), MethodContractTests.finetuned, access: .unrelated)
    let curve = try #require(evidence.curves("Share of the change in the answers")?.first)
    let mutant = curve.map { _ in Float(1) }
    #expect(abs(curve[0]) < 1e-4 && abs((curve.last ?? 0) - 1) < 1e-4)
    #expect(Set(curve.map { Int($0 * 1000) }).count > 3)
    #expect(abs(mutant[0] - curve[0]) > 0.9)
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
    let pValues = (0..<400).map { _ in normalTail(Float(generator.normal())) }
    #expect(pValues.filter { $0 < 0.05 }.count > 10)
    #expect(discoveries(pValues, rate: 0.05).isEmpty)
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
