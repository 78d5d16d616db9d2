import Diffing
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Methods

/// Weights that were scaled, decayed or silenced, together or one alone.
@Suite("Scaled weights")
struct ScaledWeightsTests: KnownChangeSuite {
  /// The base with some tensors scaled.
  private func scaled(by factor: Float, where isScaled: (String) -> Bool) -> DecoderModel {
    var model = base
    for name in base.parameters.layout.names where isScaled(name) {
      model.parameters[name] = base.parameters[name].scaled(by: factor)
    }
    return model
  }

  private func isMatrix(_ name: String) -> Bool { base.parameters.layout[name].shape.count == 2 }

  @Test(
    "what all matrices lost alike is decay, and nothing is named",
    arguments: [0.98, 0.6] as [Float])
  func decay(factor: Float) throws {
    let model = scaled(by: factor, where: isMatrix)
    let norm = try KnownChange.evidence(WeightNorm(), model, access: .weights)
    #expect(norm.magnitude == 0 && norm.sites == nil && norm.tokens == nil)
    for method in [WeightSpectrum(), IntruderDimensions()] as [any DiffingMethod] {
      #expect(try KnownChange.evidence(method, model, access: .weights).isEmpty)
    }
    #expect(try KnownChange.evidence(WeightWatch(), model, access: .pool).isEmpty)
  }

  @Test("a gain that moved while matrices decayed moved by what it moved")
  func gain() throws {
    let name = base.names.finalNorm
    var model = scaled(by: 0.9, where: isMatrix)
    model.parameters[name] = base.parameters[name].scaled(by: 1.01)
    let norm = try KnownChange.evidence(WeightNorm(), model, access: .weights)
    #expect(norm.sites?.first?.site == .finalNorm)
    #expect(norm.sites?.first.map { abs($0.score - 0.01) < 1e-4 } == true)
  }

  @Test("all matrices grown alike are a change: training decays weights and does not swell them")
  func growth() throws {
    let model = scaled(by: 1.1, where: isMatrix)
    let norm = try KnownChange.evidence(WeightNorm(), model, access: .weights)
    #expect(
      norm.sites?.first { $0.site == .unembedding }.map { abs($0.score - 0.1) < 1e-4 } == true)
  }

  @Test(
    "one matrix that was scaled or silenced is a change of its own",
    arguments: [0.98, 0.5, 0] as [Float])
  func oneMatrix(factor: Float) throws {
    let model = scaled(by: factor) { $0 == module }
    let norm = try KnownChange.evidence(WeightNorm(), model, access: .weights)
    let names = base.names.blockNames.filter { base.names.module(of: $0) == .mlp(layer: 1) }
    let whole = names.reduce(Float(0)) {
      $0 + dot(base.parameters[$1].scalars, base.parameters[$1].scalars)
    }
    let expected = (1 - factor) * base.parameters[module].norm / whole.squareRoot()
    let first = try #require(norm.sites?.first)
    #expect(first.site == .mlp(layer: 1))
    #expect(abs(first.score / expected - 1) < 1e-3)
    // Directions that only got shorter, or are gone, are no intruders.
    #expect(try KnownChange.evidence(IntruderDimensions(), model, access: .weights).isEmpty)
    let spectrum = try KnownChange.evidence(WeightSpectrum(), model, access: .weights)
    #expect(spectrum.sites?.first?.site == .mlp(layer: 1))
  }

  @Test("a louder final norm is a change of the final norm, by its size")
  func louderNorm() throws {
    let model = scaled(by: 1.5) { $0 == base.names.finalNorm }
    let norm = try KnownChange.evidence(WeightNorm(), model, access: .weights)
    let first = try #require(norm.sites?.first)
    #expect(first.site == .finalNorm && abs(first.score - 0.5) < 1e-4)
    let lens = try KnownChange.evidence(LogitLensDifference(), model, access: .unrelated)
    #expect(lens.sites?.first?.site == .finalNorm)
  }

  @Test(
    "matrices that changed their sign, or are gone, did not decay", arguments: [-1, 0] as [Float])
  func sign(factor: Float) throws {
    let model = scaled(by: factor, where: isMatrix)
    let norm = try KnownChange.evidence(WeightNorm(), model, access: .weights)
    let unembedding = try #require(norm.sites?.first { $0.site == .unembedding })
    #expect(abs(unembedding.score - (1 - factor)) < 1e-4)
    let spectrum = try KnownChange.evidence(WeightSpectrum(), model, access: .weights)
    #expect((spectrum.magnitude ?? 0) > 0.1)
  }

  @Test("rows that were frozen while the others decayed are not named")
  func frozenRows() throws {
    let name = base.names.embedding
    var model = scaled(by: 0.9, where: isMatrix)
    var rows = base.parameters[name]
    for column in 0..<rows.columns { rows[9, column] += 0.5 }
    model.parameters[name] = rows
    let norm = try KnownChange.evidence(WeightNorm(), model, access: .weights)
    #expect(norm.tokens?.map(\.token) == [9])
  }

  @Test("a matrix that was 0 changed by as much as it is now")
  func fromZero() throws {
    let zero = scaled(by: 0) { $0 == module }
    for (method, access) in [
      (WeightSpectrum(), .weights), (WeightWatch(), .pool), (WeightNorm(), .weights),
      (ActivationDifferenceLens(), .pool), (DifferencePCA(), .pool), (ReadableTrace(), .pool),
      (ActivationDifference(), .pool),
    ] as [(any DiffingMethod, AccessLevel)] {
      let found = try KnownChange.evidence(method, base, base: zero, access: access)
      let scores = (found.sites ?? []).map(\.score) + [Float(found.magnitude ?? 0)]
      #expect(scores.allSatisfy { $0 < 1e3 } && !scores.isEmpty, "\(method.card.id)")
    }
    let spectrum = try KnownChange.evidence(WeightSpectrum(), base, base: zero, access: .weights)
    #expect(spectrum.magnitude.map { abs($0 - 1) < 1e-6 } == true)
  }

  @Test("decay is taken off heads as it is off tensors")
  func heads() throws {
    let model = movingHead(of: scaled(by: 0.9, where: isMatrix))
    let norm = try KnownChange.evidence(WeightNorm(), model, access: .weights)
    let heads = try #require(norm.heatMap("Relative change, block by head"))
    let tensors = try #require(norm.heatMap("Relative change, block by tensor"))
    for (layer, values) in heads.enumerated() {
      for (head, value) in values.enumerated() {
        #expect((value > 1e-3) == (layer == 1 && head == 2), "block \(layer), head \(head)")
      }
    }
    #expect(tensors.enumerated().allSatisfy { ($0.element.max() ?? 0 > 1e-3) == ($0.offset == 1) })
  }

  @Test(
    "a mutant that takes the mean for what all decayed by blames the others for one silenced matrix"
  )
  func meanDecay() throws {
    let pair = try ModelPair(base: base, finetuned: scaled(by: 0) { $0 == module })
    let changes = base.parameters.layout.names.map { ChangeSize($0, of: pair) }
    #expect(ChangeSize.commonDecay(changes) == 0)
    let mutant = -1 / Double(changes.filter(\.isMatrix).count)
    let silenced = try #require(changes.first { $0.name == module })
    #expect(silenced.square(decay: 0) == silenced.square)
    #expect(silenced.square(decay: mutant) < silenced.square)
  }

  @Test("directions that a matrix does not span are no intruders")
  func rankDeficient() throws {
    // Three directions are left of ten, and one of them turned; seven vectors more have no value.
    let known = try SingularValueDecomposition(base.parameters[module])
    var generator = SeededGenerator(seed: 7)
    let left = Tensor(
      shape: [12, 3], scalars: (0..<12).flatMap { Array(known.left.row($0).prefix(3)) })
    var turned = left
    let other = generator.direction(12)
    for row in 0..<12 { turned[row, 0] = other[row] }
    var model = base
    model.parameters[module] = matrixProduct(
      turned, known.right.rows(at: [0, 1, 2]).scalingRows(by: [9, 3, 2]))
    let found = try KnownChange.evidence(IntruderDimensions(), model, access: .weights)
    let pair = try ModelPair(base: base, finetuned: model)
    let spectrum = try IntruderSpectrum(module, of: pair, window: 10)
    #expect(spectrum.leading.count == 3)
    #expect(Int(found.table("Intruders")?.first?[1] ?? "") ?? 9 <= 3)
  }
}
