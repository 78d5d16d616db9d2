import Diffing
import Methods
import TestSupport
import Tensors
import Testing
import Transformers

/// One token that became more or less likely everywhere, and nothing else.
@Suite("One token's change")
struct OneTokenTests: KnownChangeSuite {
  private static let methods: [any DiffingMethod] = [
    LogitLensDifference(), DiffMining(), TaskArithmetic(), OutputDivergence(),
  ]
  private let token = 7

  /// The base with one row of the unembedding moved along the mean state that it reads.
  private func moved(by amount: Float, row: Int? = nil) throws -> DecoderModel {
    let pair = try ModelPair(base: base, finetuned: base)
    let prompts = MethodContractTests.prompts(.unrelated)
    let states = pair.activations(.base, at: .residualPost(layer: 2), on: prompts.text)
      .rows(at: prompts.answerIndices)
    let mean = states.scalingRows(by: states.rowNorms.map { 1 / $0 }).meanRow
    let read = (mean * base.parameters[base.names.finalNorm]).unit
    var model = base
    var rows = base.parameters[base.names.unembedding]
    for column in 0..<rows.columns { rows[row ?? token, column] += amount * read[column] }
    model.parameters[base.names.unembedding] = rows
    return model
  }

  @Test(
    "it is named first with its sign, and no other token shares its place",
    arguments: methods.indices, [Float(3), -3])
  func first(index: Int, amount: Float) throws {
    let method = Self.methods[index]
    for access in method.card.access {
      let found = try KnownChange.evidence(method, moved(by: amount), access: access)
      let claim = try #require(found.tokens?.first, "\(method.card.id) \(access)")
      #expect(claim.token == token, "\(method.card.id) \(access)")
      // Where the answers differ most a token may rise that falls in the mean.
      guard !(method is OutputDivergence) else { continue }
      #expect(claim.sign == (amount > 0 ? 1 : -1), "\(method.card.id) \(access)")
    }
  }

  @Test("a text whose only change is of a token that never counts says nothing")
  func special() throws {
    let found = try KnownChange.evidence(DiffMining(), moved(by: 3, row: 1), access: .pool)
    #expect(found.isEmpty)
  }

  @Test("prompts are ranked by how far the lowered token fell")
  func inputs() throws {
    let model = try moved(by: -3)
    let found = try KnownChange.evidence(DiffMining(), model, access: .pool)
    let pair = try ModelPair(base: base, finetuned: model)
    let text = MethodContractTests.prompts(.pool).text
    let falls = text.lastIndices.map { index in
      pair.logits(.base, on: text, at: [index])[0, token]
        - pair.logits(.finetuned, on: text, at: [index])[0, token]
    }
    let expected = falls.indices.max { falls[$0] < falls[$1] }
    #expect(found.inputs?.first?.row == expected)
    #expect((found.magnitude ?? 0) > 0)
  }

  @Test("heads that changed places name no keys")
  func headsInOtherPlaces() throws {
    var model = base
    let width = base.shape.headWidth
    func swapping(_ index: Int) -> Int {
      let head = index / width
      return (head == 0 ? 1 : head == 1 ? 0 : head) * width + index % width
    }
    // Both heads of one key head, so that the keys and values stay where they are.
    for layer in 0..<3 {
      let query = "model.layers.\(layer).self_attn.q_proj.weight"
      let output = "model.layers.\(layer).self_attn.o_proj.weight"
      let rows = base.parameters[query]
      model.parameters[query] = rows.rows(at: (0..<rows.rows).map(swapping))
      let columns = base.parameters[output].transposed
      model.parameters[output] = columns.rows(at: (0..<columns.rows).map(swapping)).transposed
    }
    let found = try KnownChange.evidence(AttentionDifference(), model, access: .unrelated)
    #expect((found.magnitude ?? 0) > 1e-3)
    let largest = (found.tokens ?? []).map { abs($0.score) }.max() ?? 0
    #expect(largest == 0)
  }
}
