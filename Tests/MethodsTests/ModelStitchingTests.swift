import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Model stitching")
struct ModelStitchingTests: KnownChangeSuite {
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
}
