import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Activation differences")
struct ActivationDifferenceTests: KnownChangeSuite {
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
}
