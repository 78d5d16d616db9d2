import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Diffing

/// Changes at the ends of a model, or of no consequence.
@Suite("Methods on changes at the edges")
struct EdgeChangeTests {
  let base = KnownChange.base

  private func evidence(
    _ type: any DiffingMethod.Type, _ finetuned: any LanguageModel,
    base: any LanguageModel = KnownChange.base,
    access: AccessLevel
  ) throws -> Evidence {
    try KnownChange.evidence(type.init(), finetuned, base: base, access: access)
  }

  private func steeringNorms(_ evidence: Evidence) -> [(layer: Int, norm: Float)] {
    (evidence.interventions ?? []).compactMap {
      if case .steer(let layer, let direction) = $0 { (layer, Tensor(direction).norm) } else { nil }
    }
  }

  @Test("a change of the last block alone is steered where it is, by vectors that have a length")
  func lastBlock() throws {
    var generator = SeededGenerator(seed: 9)
    let finetuned = KnownChange.adding(
      generator.direction(12, norm: 3).reshaped([12, 1]),
      generator.direction(10, norm: 3).reshaped([1, 10]), to: "model.layers.2.mlp.down_proj.weight")
    let steering: [any DiffingMethod.Type] = [
      ActivationDifference.self, ActivationDifferenceLens.self, DifferencePCA.self,
      ActivationSteering.self,
    ]
    for type in steering {
      for access in [AccessLevel.unrelated, .pool] {
        let found = steeringNorms(try evidence(type, finetuned, access: access))
        #expect(!found.isEmpty, "\(type.card.id)")
        for (layer, norm) in found {
          #expect(layer == 2 && norm.isFinite && norm > 0, "\(type.card.id)")
        }
      }
    }
  }

  @Test("a changed row of the unembedding is not blamed on a block")
  func unembedding() throws {
    var finetuned = base
    var rows = finetuned.parameters[base.names.unembedding]
    for column in 0..<rows.columns { rows[7, column] += column.isMultiple(of: 2) ? 1 : -1 }
    finetuned.parameters[base.names.unembedding] = rows
    for type: any DiffingMethod.Type in [LogitLensDifference.self, ModelStitching.self] {
      let found = try evidence(type, finetuned, access: .pool)
      #expect(found.sites?.first?.site == .unembedding, "\(type.card.id)")
      #expect(found.magnitude ?? 0 > 1e-3, "\(type.card.id)")
    }
    let patching = try evidence(ActivationPatching.self, finetuned, access: .pool)
    #expect(patching.sites?.first?.site == .unembedding)
    #expect(patching.interventions == nil, "no patch of a block brings it")
  }

  @Test("a changed row of the embedding is found before the first block")
  func embedding() throws {
    var finetuned = base
    var rows = finetuned.parameters[base.names.embedding]
    for token in [3, 5, 7] { for column in 0..<rows.columns { rows[token, column] += 2 } }
    finetuned.parameters[base.names.embedding] = rows
    let methods: [any DiffingMethod.Type] = [LogitLensDifference.self, DifferencePCA.self]
    for type in methods {
      let found = try evidence(type, finetuned, access: .unrelated)
      #expect(found.sites?.first?.site == .embedding, "\(type.card.id)")
    }
  }

  @Test("of models that compute the same, nothing that reads answers or streams says anything")
  func reparameterised() throws {
    var generator = SeededGenerator(seed: 5)
    let finetuned = base.reparameterised(using: &generator)
    // These compare weights, parts of weights, or heads by their number.
    let others = [TaskArithmetic.card.id, AttentionDifference.card.id, WeightAmplification.card.id]
    for type in Methods.all where !others.contains(type.card.id) {
      for access in type.card.access where access != .weights {
        let found = try evidence(type, finetuned, access: access)
        #expect(found.isEmpty, "\(type.card.id) from \(access)")
      }
    }
    #expect(try evidence(TaskArithmetic.self, finetuned, access: .pool).isEmpty)
  }

  @Test("a bias that was not there is as large as it is, beside the matrix it is added to")
  func biasSize() throws {
    var generator = SeededGenerator(seed: 2)
    let direction = generator.direction(12)
    let magnitudes = try [Float(0.5), 2].map { length -> Double in
      let pair = KnownChange.biased(direction.scaled(by: length), layer: 1)
      return try evidence(WeightSpectrum.self, pair.finetuned, base: pair.base, access: .weights)
        .magnitude ?? 0
    }
    #expect(abs(magnitudes[1] / magnitudes[0] - 4) < 1e-3)
  }

  @Test("intruders propose what changed along them, not what the base has there")
  func intruderPart() throws {
    var generator = SeededGenerator(seed: 9)
    let left = generator.direction(12, norm: 4), right = generator.direction(10, norm: 4)
    let name = "model.layers.1.mlp.down_proj.weight"
    let finetuned = KnownChange.adding(
      left.reshaped([12, 1]), right.reshaped([1, 10]), to: name)
    let found = try evidence(IntruderDimensions.self, finetuned, access: .weights)
    guard case .weights(let changes)? = found.interventions?.first else {
      Issue.record("nothing proposed")
      return
    }
    #expect(changes.map(\.name) == [name])
    let change = matrixProduct(left.reshaped([12, 1]), right.reshaped([1, 10]))
    let pair = try ModelPair(base: KnownChange.base, finetuned: finetuned)
    let proposed = try #require(changes[0].tensor(in: pair))
    // A projection of the change: no longer than it, and at right angles to what it leaves out.
    #expect(proposed.norm <= change.norm * 1.0001)
    #expect(abs(dot(proposed.scalars, (change - proposed).scalars)) < 1e-3 * change.norm)
  }

  @Test("weights too large to compute with are an error, not nothing found")
  func overflow() throws {
    var finetuned = base
    finetuned.parameters[base.names.finalNorm] = finetuned.parameters[base.names.finalNorm]
      .scaled(by: 1e38)
    finetuned.parameters[base.names.unembedding] = finetuned.parameters[base.names.unembedding]
      .scaled(by: 1e3)
    #expect(throws: DiffingError.notFinite(method: "The finetuned model")) {
      try ModelPair(base: base, finetuned: finetuned)
    }
  }
}
