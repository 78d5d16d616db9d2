import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Activation patching")
struct ActivationPatchingTests: KnownChangeSuite {
  @Test("patching: all of the change at the changed module, forwards, back and by weights")
  func patching() throws {
    let (finetuned, _) = varying(layer: 1)
    let evidence = try KnownChange.evidence(ActivationPatching(), finetuned, access: .pool)
    let map = try #require(evidence.heatMap("Share of the change that each module brings"))
    expectClose(map[3], [1, 1, 1], tolerance: 1e-3)
    #expect((map[0] + map[1] + map[2]).allSatisfy { abs($0) < 1e-3 })
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
}
