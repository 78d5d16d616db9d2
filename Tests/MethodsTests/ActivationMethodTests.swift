import Methods
import Diffing
import TestSupport
import Tensors
import Testing
import Transformers

/// Methods that look at activations, on changes that are known exactly.
@Suite("Activation methods on known changes")
struct ActivationMethodTests {
  let base = KnownChange.base

  /// A rank-one change of one MLP's output, whose direction is known.
  private func varying(layer: Int) -> (finetuned: any LanguageModel, direction: Tensor) {
    var generator = SeededGenerator(seed: 8)
    let left = generator.direction(12), right = generator.direction(10, norm: 2)
    let finetuned = KnownChange.adding(
      left.reshaped([12, 1]), right.reshaped([1, 10]),
      to: "model.layers.\(layer).mlp.down_proj.weight")
    return (finetuned, left)
  }

  @Test("a constant bias has the norm it has, after its block and not before, on every input")
  func norms() throws {
    let vector = KnownChange.direction(of: 7, norm: 3)
    let (wide, finetuned) = KnownChange.biased(vector, layer: 2)
    let evidence = try KnownChange.evidence(
      ActivationDifference(), finetuned, base: wide, access: .unrelated)
    let curves = try #require(evidence.curves("The difference after each block"))
    expectClose(curves[0], [0, 0, 3], tolerance: 1e-5)
    #expect(abs(curves[3][2] - 1) < 1e-5)
    #expect(evidence.sites?.first?.site == .attention(layer: 2))
  }

  @Test("the largest difference names the last block, wherever the change is")
  func lastBlock() throws {
    // The published caution: a change in the first block is loudest after the last.
    let (finetuned, _) = varying(layer: 0)
    let evidence = try KnownChange.evidence(
      ActivationDifference(), finetuned, access: .unrelated)
    let norms = try #require(evidence.curves("The difference after each block")?.first)
    #expect(norms[0] > 0)
    #expect(
      (evidence.sites?.first?.site.layer == 2)
        == (norms.indices.max { norms[$0] < norms[$1] } == 2))
  }

  @Test("components: a varying direction is the first, a constant one is the mean and no component")
  func components() throws {
    let (finetuned, direction) = varying(layer: 1)
    let evidence = try KnownChange.evidence(DifferencePCA(), finetuned, access: .unrelated)
    let proposed = try #require(evidence.proposedDirection)
    #expect(abs(cosine(proposed, direction)) > 0.999)
    let (wide, shifted) = KnownChange.biased(KnownChange.direction(of: 7, norm: 3), layer: 2)
    let constant = try KnownChange.evidence(
      DifferencePCA(), shifted, base: wide, access: .unrelated)
    #expect((constant.magnitude ?? 0) < 1e-4)
    var mutant = DifferencePCA()
    mutant.isCentred = false
    let uncentred = try KnownChange.evidence(mutant, shifted, base: wide, access: .unrelated)
    #expect((uncentred.magnitude ?? 0) > 0.1)
  }

  @Test("a trace on every input stands out from random signs; without one there is nothing to read")
  func trace() throws {
    let vector = KnownChange.direction(of: 7, norm: 3)
    let (wide, shifted) = KnownChange.biased(vector, layer: 1)
    let evidence = try KnownChange.evidence(
      ReadableTrace(), shifted, base: wide, access: .unrelated)
    let deviations = try #require(evidence.curves("The trace")?[1])
    #expect(deviations[1] > 3)
    #expect(cosine(try #require(evidence.proposedDirection), vector) > 0.999)
    let halves = try #require(evidence.curves("The trace")?.last)
    #expect(halves[1] > 0.999)
    // Texts of two words that move in opposite directions: differences as long, but no trace.
    var opposite = base
    var embedding = base.parameters[base.names.embedding]
    var generator = SeededGenerator(seed: 2)
    let step = generator.direction(12, norm: 0.05)
    for column in 0..<12 {
      for row in 0..<base.parameters[base.names.embedding].rows where row != 5 {
        embedding[row, column] = embedding[5, column]
      }
      embedding[4, column] += step[column]
      embedding[5, column] -= step[column]
    }
    var still = base
    still.parameters[base.names.embedding] = Tensor(
      shape: embedding.shape,
      scalars: (0..<embedding.rows).flatMap { _ in
        Array(base.parameters[base.names.embedding].row(5))
      })
    opposite.parameters[base.names.embedding] = embedding
    let rows = (0..<40).map { [1, 4 + $0 % 2, 4 + $0 % 2, 4 + $0 % 2] }
    let none = try KnownChange.evidence(
      ReadableTrace(), opposite, base: still, access: .unrelated,
      prompts: PromptSet(
        access: .unrelated, text: TokenBatch(rows), documentStart: 1, specialTokens: [0, 1]))
    #expect(none.tokens == nil && none.interventions == nil)
    #expect((none.magnitude ?? 0) < 0.1 * (evidence.magnitude ?? 0))
  }

  @Test("stitches are the base below the change and the finetuned model above it, and end exactly")
  func stitching() throws {
    let (finetuned, _) = varying(layer: 1)
    for access in [AccessLevel.unrelated, .pool] {
      let evidence = try KnownChange.evidence(ModelStitching(), finetuned, access: access)
      let curves = try #require(evidence.curves("Share of the change in the answers"))
      // embed, blocks 0 attn, 0 mlp, 1 attn, 1 mlp, 2 attn, 2 mlp
      expectClose(curves[0], [0, 0, 0, 0, 1, 1, 1], tolerance: 1e-4)
      expectClose(curves[1], [1, 1, 1, 1, 0, 0, 0], tolerance: 1e-4)
      #expect(evidence.sites?.first?.site == .mlp(layer: 1))
      #expect((evidence.sites?.first?.score ?? 0) > 0.999)
    }
  }

  @Test("an affine map is recovered, and none is needed between equal streams")
  func affine() {
    var generator = SeededGenerator(seed: 5)
    let inputs = Tensor(shape: [60, 4], scalars: (0..<240).map { _ in Float(generator.normal()) })
    let matrix = Tensor(shape: [4, 4], scalars: generator.direction(16, norm: 2).scalars)
    let offset = generator.direction(4)
    let outputs = matrixProduct(inputs, matrix, transposingB: true).addingToRows(offset)
    let map = AffineMap(from: inputs, to: outputs, ridge: 1e-6)
    expectClose(map.matrix, matrix, tolerance: 1e-3)
    expectClose(map.offset, offset, tolerance: 1e-3)
    let same = AffineMap(from: inputs, to: inputs, ridge: 0.1)
    expectClose(same.applied(to: inputs), inputs, tolerance: 1e-5)
    // Held to the identity, a strong ridge gives it.
    let held = AffineMap(from: inputs, to: outputs, ridge: 1e6)
    #expect(cosine(held.matrix.reshaped([16]), same.matrix.reshaped([16])) > 0.999)
  }

  @Test("patching: all of the change at the changed module, forwards, back and by weights")
  func patching() throws {
    let (finetuned, _) = varying(layer: 1)
    let evidence = try KnownChange.evidence(ActivationPatching(), finetuned, access: .pool)
    let map = try #require(evidence.heatMap("Share of the change that each module brings"))
    expectClose(map[3], [1, 1, 1], tolerance: 1e-3)
    expectClose(map[0] + map[1] + map[2], Array(repeating: 0, count: 9), tolerance: 1e-3)
    let blocks = try #require(evidence.heatMap("Share of the change that each block brings"))
    expectClose([blocks[0][0], blocks[1][0], blocks[2][0]], [0, 1, 1], tolerance: 1e-3)
    expectClose([blocks[0][3], blocks[1][3], blocks[2][3]], [0, 1, 0], tolerance: 1e-3)
    let complete = try #require(evidence.curves("Share of the change that the first")?.first)
    #expect(complete.allSatisfy { abs($0 - 1) < 1e-3 })
  }

  @Test("patching one head brings a change of that head's values")
  func patchedHead() throws {
    var finetuned = base
    let name = "model.layers.2.self_attn.q_proj.weight"
    var tensor = base.parameters[name]
    for row in 6..<12 { for column in 0..<12 { tensor[row, column] *= -2 } }
    finetuned.parameters[name] = tensor
    let evidence = try KnownChange.evidence(ActivationPatching(), finetuned, access: .pool)
    let heads = try #require(evidence.heatMap("Share of the change that each head brings"))
    #expect(abs(heads[2][1] - 1) < 1e-3)
    #expect([heads[2][0], heads[2][2], heads[2][3]].allSatisfy { abs($0) < 1e-3 })
    let attention = try KnownChange.evidence(AttentionDifference(), finetuned, access: .pool)
    let map = try #require(attention.heatMap("Divergence of attention, weighted"))
    for (layer, row) in map.enumerated() {
      for (head, value) in row.enumerated() {
        #expect((value > 1e-9) == (layer == 2 && head == 1), "block \(layer), head \(head)")
      }
    }
    #expect(attention.sites?.first?.site == .attention(layer: 2))
  }

  @Test("attention divergence is bounded, symmetric and zero for equal patterns")
  func attentionDivergence() {
    let p: [Float] = [0.5, 0.5, 0], q: [Float] = [0, 0.2, 0.8]
    #expect(jensenShannon(probabilities: p, p) == 0)
    #expect(abs(jensenShannon(probabilities: p, q) - jensenShannon(probabilities: q, p)) < 1e-9)
    #expect(abs(jensenShannon(probabilities: [1, 0], [0, 1]) - 0.6931471805) < 1e-6)
  }

  @Test("steering: a constant bias is the direction, and its token rises above controls")
  func steering() throws {
    let vector = KnownChange.direction(of: 7, norm: 3)
    let (wide, finetuned) = KnownChange.biased(vector, layer: 1)
    let evidence = try KnownChange.evidence(
      ActivationSteering(), finetuned, base: wide, access: .unrelated)
    #expect(cosine(try #require(evidence.proposedDirection), vector) > 0.999)
    let pair = try ModelPair(base: wide, finetuned: finetuned)
    let text = MethodContractTests.prompts(.unrelated)
    let shift =
      pair.logProbabilities(.finetuned, on: text.text, at: text.countedTokens)
      - pair.logProbabilities(.base, on: text.text, at: text.countedTokens)
    var means = shift.meanRow.scalars
    for special in text.specialTokens { means[special] = -.infinity }
    #expect(evidence.tokens?.first { $0.sign == 1 }?.token == means[...].indexOfLargest)
  }

  @Test("the component along a direction is taken from other rows, and nothing else")
  func projection() {
    let own = Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6])
    let other = Tensor(shape: [2, 3], scalars: [9, 0, 0, -1, 8, 8])
    let result = own.projected(onto: other, along: Tensor([1, 0, 0]))
    #expect(result.scalars == [9, 2, 3, -1, 5, 6])
  }

  @Test("what finetuning changed causes loss only along its own direction")
  func causal() throws {
    let vector = KnownChange.direction(of: 7, norm: 6)
    let (wide, finetuned) = KnownChange.biased(vector, layer: 1)
    let evidence = try KnownChange.evidence(
      ActivationDifferenceLens(), finetuned, base: wide, access: .unrelated)
    let rows = try #require(evidence.table("Loss added"))
    let losses = rows.compactMap { Float($0[1]).map(abs) }
    #expect(losses[0] > 2 * (losses.dropFirst().max() ?? 0))
  }
}
