import Methods
import Diffing
import TestSupport
import Tensors
import Testing
import Transformers

/// Methods that look at weights, on changes that are known exactly.
@Suite("Weight methods on known changes")
struct WeightMethodTests {
  let base = KnownChange.base
  let module = "model.layers.1.mlp.down_proj.weight"

  /// Singular values 3, 2 and 1 along random directions.
  private func rankThree() -> (left: Tensor, right: Tensor) {
    var generator = SeededGenerator(seed: 6)
    let raw = Tensor(shape: [12, 10], scalars: generator.direction(120, norm: 5).scalars)
    let basis = SingularValueDecomposition(raw)
    let left = Matrix(basis.left).columns(0..<3).tensor
    return (left, basis.right.rows(at: [0, 1, 2]).scalingRows(by: [3, 2, 1]))
  }

  @Test("a rank-three update is measured, located and decomposed")
  func rankThreeUpdate() throws {
    let (left, right) = rankThree()
    let finetuned = KnownChange.adding(left, right, to: module)
    let norm = try KnownChange.evidence(WeightNorm(), finetuned, access: .weights)
    let row = try #require(norm.table("Norms")?.first?.dropFirst().compactMap { Float($0) })
    expectClose(Array(row.prefix(3)), [Float(14).squareRoot(), 3, 6], tolerance: 1e-4)
    #expect(norm.exhibits.first?.title == "Bits: one tensor changed: \(module)")
    let spectrum = try KnownChange.evidence(WeightSpectrum(), finetuned, access: .weights)
    let ranks = try #require(
      spectrum.table("Rank and energy")?.first?.dropFirst().compactMap { Float($0) })
    let effective = Spectrum.effectiveRank([3, 2, 1])
    expectClose(
      ranks, [3, Float(effective), 14.0 / 9, 2, 9.0 / 14, 1, 1, 1], tolerance: 1e-4)
    for method in [WeightNorm(), WeightSpectrum(), IntruderDimensions()] as [any DiffingMethod] {
      let evidence = try KnownChange.evidence(method, finetuned, access: .weights)
      #expect(evidence.sites?.first?.site == .mlp(layer: 1), "\(method.card.id)")
    }
  }

  @Test("stable rank and energy: one for rank one, n for the identity, whatever the scale")
  func ranks() {
    #expect(Spectrum.stableRank([5, 0, 0]) == 1)
    #expect(abs(Spectrum.stableRank([2, 2, 2, 2]) - 4) < 1e-6)
    #expect(Spectrum.stableRank([0, 0]) == 0)
    #expect(abs(Spectrum.energy([2, 1, 1], first: 1) - 4.0 / 6) < 1e-6)
    #expect(Spectrum.energy([0, 0], first: 1) == 0)
  }

  @Test("a change of one head is that head's alone")
  func oneHead() throws {
    var finetuned = base
    let name = "model.layers.1.self_attn.q_proj.weight"
    var tensor = base.parameters[name]
    for row in 12..<18 { for column in 0..<12 { tensor[row, column] += 0.3 } }
    finetuned.parameters[name] = tensor
    let norm = try KnownChange.evidence(WeightNorm(), finetuned, access: .weights)
    let map = try #require(norm.heatMap("Relative change, block by head"))
    for (layer, heads) in map.enumerated() {
      for (head, value) in heads.enumerated() { #expect((value > 0) == (layer == 1 && head == 2)) }
    }
  }

  @Test("a plant confined to the final norm's gain is located there")
  func finalGain() throws {
    var finetuned = base
    let name = base.names.finalNorm
    finetuned.parameters[name] = base.parameters[name].map { $0 * 1.3 + 0.1 }
    let norm = try KnownChange.evidence(WeightNorm(), finetuned, access: .weights)
    let task = try KnownChange.evidence(TaskArithmetic(), finetuned, access: .pool)
    #expect(norm.sites?.first?.site == .finalNorm)
    #expect(task.sites?.first?.site == .finalNorm)
  }

  @Test("rounding is told from training by the bits")
  func rounding() throws {
    var finetuned = base
    for name in base.parameters.layout.names {
      finetuned.parameters[name] = base.parameters[name].map { $0 * (1 + 0x1p-9) }
    }
    let norm = try KnownChange.evidence(WeightNorm(), finetuned, access: .weights)
    #expect(norm.exhibits.first?.title == "Bits: rounding only")
  }

  @Test(
    "factors and their product give the same evidence, and the factors need the base's memory once")
  func factors() throws {
    let base = LowRankPair.base
    let adapted = base.with(LowRankPair.lora.adapted(base.parameters))
    let merged = base.with(LowRankPair.lora.merged(into: base.parameters))
    for method in [WeightNorm(), WeightSpectrum(), IntruderDimensions()] as [any DiffingMethod] {
      let left = try KnownChange.evidence(method, adapted, base: base, access: .weights)
      let right = try KnownChange.evidence(method, merged, base: base, access: .weights)
      #expect(left.sites?.map(\.site) == right.sites?.map(\.site), "\(method.card.id)")
      #expect(abs((left.magnitude ?? 0) / (right.magnitude ?? 1) - 1) < 1e-3, "\(method.card.id)")
      #expect(
        left.tokens?.prefix(4).map(\.token) == right.tokens?.prefix(4).map(\.token),
        "\(method.card.id)")
    }
    let full = 2 * base.parameters.bytes()
    let pair = base.parameters.bytes() + adapted.parameters.bytes(beside: base.parameters)
    #expect(Double(pair) < 0.55 * Double(full))
    #expect(base.parameters.bytes() + merged.parameters.bytes(beside: base.parameters) == full)
  }

  @Test("a direction outside of the base's span is an intruder; a louder old one is not")
  func intruders() throws {
    // The matrix is 12 by 10, so two directions are outside of its columns' span.
    let matrix = base.parameters[module]
    let decomposition = SingularValueDecomposition(matrix)
    var generator = SeededGenerator(seed: 3)
    var outside = generator.direction(12)
    for index in 0..<10 {
      let vector = decomposition.leftVector(index)
      outside = outside - vector.scaled(by: dot(vector.scalars, outside.scalars))
    }
    let left = outside.scaled(by: 40 / outside.norm).reshaped([12, 1])
    let new = KnownChange.adding(
      left, decomposition.rightVector(9).reshaped([1, 10]), to: module)
    let found = try KnownChange.evidence(IntruderDimensions(), new, access: .weights)
    #expect(found.table("Intruders")?.first?[1] == "1")
    #expect((found.magnitude ?? 0) > 0.5)
    guard case .weights(let changes)? = found.interventions?.first else {
      Issue.record("the intruder is not proposed")
      return
    }
    #expect(
      cosine(
        try #require(changes[0].tensor(in: ModelPair(base: KnownChange.base, finetuned: new))),
        new.parameters[module] - matrix) > 0.99)
    let old = KnownChange.adding(
      decomposition.leftVector(3).scaled(by: 40).reshaped([12, 1]),
      decomposition.rightVector(3).reshaped([1, 10]), to: module)
    let none = try KnownChange.evidence(IntruderDimensions(), old, access: .weights)
    #expect(none.table("Intruders")?.first?[1] == "0")
    #expect((none.magnitude ?? 1) < 1e-3)
    #expect(none.interventions == nil)
    // The published threshold on the base's first vectors alone would call it one.
    #expect(decomposition.values[3] < decomposition.values[0])
  }

  @Test("task vectors are extracted, negated, scaled, added and compared")
  func taskVectors() throws {
    let finetuned = MethodContractTests.finetuned
    let vector = TaskVector(try ModelPair(base: base, finetuned: finetuned))
    func close(_ a: any LanguageModel, _ b: any LanguageModel) {
      expectClose(a.parameters.flat.scalars, b.parameters.flat.scalars, tolerance: 1e-5)
    }
    close(vector.applied(to: base), finetuned)
    close(vector.negated.applied(to: finetuned), base)
    close(vector.scaled(by: 0.25).applied(to: base, factor: 4), finetuned)
    close((vector + vector.negated).applied(to: base), base)
    #expect(abs(vector.cosine(vector.scaled(by: 3)) - 1) < 1e-5)
    #expect(abs(vector.cosine(vector.negated) + 1) < 1e-5)
    let attention = vector.restricted { $0.contains("attn") }
    let rest = vector.restricted { !$0.contains("attn") }
    #expect(attention.cosine(rest) == 0)
    close((attention + rest).applied(to: base), finetuned)
    #expect(
      abs(attention.norm * attention.norm + rest.norm * rest.norm - vector.norm * vector.norm)
        < 1e-3)
  }

  @Test("of a LoRA one factor is scaled: scaling both would square it")
  func scaledFactors() throws {
    let base = LowRankPair.base
    let adapted = base.with(LowRankPair.lora.adapted(base.parameters))
    let vector = TaskVector(try ModelPair(base: base, finetuned: adapted))
    let name = LowRankPair.lora.targets[0]
    let change = LowRankPair.lora.update(of: name).product
    let louder = vector.applied(to: base, factor: 3)
    expectClose(
      louder.parameters[name] - base.parameters[name], change.scaled(by: 3), tolerance: 1e-4)
    let mutant = matrixProduct(
      LowRankPair.lora.update(of: name).left.scaled(by: 3),
      LowRankPair.lora.update(of: name).right.scaled(by: 3))
    #expect(abs(mutant.norm / change.norm - 9) < 1e-3)
  }

  @Test("one changed module brings the whole change, alone and left out")
  func arithmetic() throws {
    let (left, right) = rankThree()
    let finetuned = KnownChange.adding(left, right, to: module)
    for access in [AccessLevel.unrelated, .pool] {
      let evidence = try KnownChange.evidence(TaskArithmetic(), finetuned, access: access)
      let parts = try #require(evidence.table("Share of the change"))
      #expect(parts.map { $0[0] } == ["blocks.1.mlp"])
      #expect(
        abs((Float(parts[0][1]) ?? 0) - 1) < 1e-4 && abs((Float(parts[0][2]) ?? 0) - 1) < 1e-4)
      let curve = try #require(evidence.curves("Along the weight change")?.first)
      #expect(abs(curve[1]) < 1e-5 && abs(curve[3] - 1) < 1e-5)
      #expect(evidence.sites?.first?.site == .mlp(layer: 1))
    }
  }

  @Test(
    "weight-watch ranks inputs by how far they leave the ordinary range along what is written",
    arguments: [true, false])
  func watch(comparesWithBase: Bool) throws {
    var generator = SeededGenerator(seed: 9)
    let left = generator.direction(12), right = generator.direction(10, norm: 3)
    let finetuned = KnownChange.adding(
      left.reshaped([12, 1]), right.reshaped([1, 10]), to: "model.layers.2.mlp.down_proj.weight")
    let pool = MethodContractTests.prompts(.pool)
    var method = WeightWatch()
    method.comparesWithBase = comparesWithBase
    let evidence = try KnownChange.evidence(method, finetuned, access: .pool, prompts: pool)
    /// The cosine at each token, less the base's if it is compared.
    func values(_ text: TokenBatch) -> [Float] {
      let site = ActivationSite.residualPost(layer: 2)
      let streams = [finetuned, KnownChange.base].map {
        $0.forward(text, recording: [site])[site]
      }
      return (0..<text.count).map { index in
        let own = streams.map { cosine(Tensor(Array($0.row(index))), left) }
        return own[0] - (comparesWithBase ? own[1] : 0)
      }
    }
    let ordinary = zip(pool.reference.tokens, values(pool.reference)).filter { $0.0 != 1 }.map(\.1)
    let low = try #require(ordinary.min()), high = try #require(ordinary.max())
    let answers = pool.text.lastIndices.map { values(pool.text)[$0] }
    let outside = answers.map { max($0 - high, low - $0, 0) }
    let expected = outside.indices.max { outside[$0] < outside[$1] }
    #expect(outside.contains { $0 > 0 })
    #expect(evidence.inputs?.first?.row == expected)
    #expect(evidence.sites?.first?.site == .mlp(layer: 2))
    #expect(abs(cosine(try #require(evidence.proposedDirection), left)) > 0.99)
  }

  @Test("the usual range lies between quantiles, and exceedances count from its ends")
  func usualRange() {
    let values = (0..<1000).map { Float($0) / 1000 }
    let range = UsualRange(values, tail: 0.01)
    #expect(range.low == 0.01 && range.high == 0.989)
    #expect(range.exceedance(0.5) == 0)
    #expect(abs(range.exceedance(1.989) - 1 / range.deviation) < 1e-4)
    #expect(range.exceedance(-0.99) < 0)
    // One outlier widens a range of extremes, but not this one.
    #expect(UsualRange(values + [50], tail: 0.01).high < 1)
  }
}

/// A LoRA finetune of a wide enough model for factors to be small.
enum LowRankPair {
  static let base = Llama(
    LlamaConfiguration(
      vocabulary: 19, width: 48, layers: 2, heads: 4, keyHeads: 2, headWidth: 12, mlpWidth: 96,
      ropeTheta: 100, isTied: false, hasAttentionBias: false, hasMLPBias: false),
    seed: 1, deviation: 0.25)

  static let lora: LoRA = {
    var generator = SeededGenerator(seed: 4)
    let targets = base.names.blockNames.filter {
      base.parameters.layout[$0].shape.count == 2
    }
    var lora = LoRA(
      rank: 1, alpha: 1, targets: targets, layout: base.parameters.layout, using: &generator)
    for target in targets {
      let shape = lora.factors.layout["\(target).B"].shape
      lora.factors["\(target).B"] = generator.direction(shape[0] * shape[1]).reshaped(shape)
    }
    return lora
  }()
}
