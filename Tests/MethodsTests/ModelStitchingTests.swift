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

  @Test("with fewer points than a model has, the ones around the change are stitched")
  func fewerPoints() throws {
    let (finetuned, _) = varying(layer: 1)
    var method = ModelStitching()
    let whole = try KnownChange.evidence(method, finetuned, access: .pool)
    method.points = 4
    let evidence = try KnownChange.evidence(method, finetuned, access: .pool)
    let curves = try #require(evidence.curves("Share of the change in the answers"))
    // embed, 1 attn, 1 mlp, 2 mlp: both ends and the middle, and the middle of the half that the step is in.
    expectClose(curves[0], [0, 0, 1, 1], tolerance: 1e-4)
    #expect(evidence.sites?.first?.site == .mlp(layer: 1))
    expectClose(
      [Float(evidence.magnitude ?? 0)], [Float(whole.magnitude ?? 1)], tolerance: 1e-3)
    method.points = 3
    let coarse = try KnownChange.evidence(method, finetuned, access: .pool).sites ?? []
    // Between block 1's attention, where nothing has changed, and the end, where all has: a third for each module.
    for module in [ModuleSite.mlp(layer: 1), .attention(layer: 2), .mlp(layer: 2)] {
      let claim = try #require(coarse.first { $0.site == module })
      expectClose([claim.score], [1.0 / 3], tolerance: 1e-3)
    }
  }
}
