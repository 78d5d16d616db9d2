import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Weight norms")
struct WeightNormTests: KnownChangeSuite {
  @Test("a change of one head is that head's alone")
  func oneHead() throws {
    let norm = try KnownChange.evidence(WeightNorm(), movingHead(of: base), access: .weights)
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

  @Test("one moved embedding row is named by weight-norm")
  func embeddingRow() throws {
    var finetuned = base
    var embedding = base.parameters[base.names.embedding]
    for column in 0..<embedding.columns { embedding[9, column] += 0.5 }
    finetuned.parameters[base.names.embedding] = embedding
    let norm = try evidence(WeightNorm(), finetuned, access: .weights)
    #expect(norm.tokens?.first?.token == 9)
    #expect(norm.tokens?.count == 1)
    #expect(norm.sites?.first?.site == .embedding)
  }
}
