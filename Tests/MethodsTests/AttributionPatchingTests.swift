import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Attribution patching")
struct AttributionPatchingTests: KnownChangeSuite {
  private static let title = "Share of the change that each module brings"

  /// The base with a part of the way to a random finetune of some tensors.
  private func moved(_ names: [String], by factor: Float) -> DecoderModel {
    var model = base
    var generator = SeededGenerator(seed: 4)
    for name in names {
      let tensor = base.parameters[name]
      let direction = generator.direction(tensor.count, norm: tensor.norm)
      model.parameters[name] = tensor + direction.reshaped(tensor.shape).scaled(by: factor)
    }
    return model
  }

  @Test("of small changes the shares are those of patching and swapping")
  func smallChanges() throws {
    let finetuned = moved(
      [
        "model.layers.0.mlp.up_proj.weight", "model.layers.1.self_attn.v_proj.weight",
        "model.layers.2.mlp.down_proj.weight",
      ], by: 0.01)
    let linear = try #require(
      KnownChange.evidence(AttributionPatching(), finetuned, access: .pool).heatMap(Self.title))
    let exact = try #require(
      KnownChange.evidence(ActivationPatching(), finetuned, access: .pool).heatMap(Self.title))
    expectClose(
      linear.flatMap { $0 }, exact.flatMap { [$0[0], $0[2]] }, tolerance: 0.02)
    // The best patch is proposed, unless it brings less than a patch has to.
    let patched = linear.map { $0[0] }, best = patched.indices.max { patched[$0] < patched[$1] }
    let modules = (0..<3).flatMap { [ModuleSite.attention(layer: $0), .mlp(layer: $0)] }
    var method = AttributionPatching()
    #expect(
      try KnownChange.evidence(method, finetuned, access: .pool).interventions
        == best.map { [.patch(modules[$0])] })
    method.threshold = 1.5
    #expect(try KnownChange.evidence(method, finetuned, access: .pool).interventions == nil)
    // By weights, the three together are the whole change.
    #expect(abs(linear.map { $0[1] }.reduce(0, +) - 1) < 0.03)
  }

  @Test("a patch carries what came from upstream, swapped weights do not")
  func upstream() throws {
    let finetuned = moved(["model.layers.0.mlp.up_proj.weight"], by: 0.01)
    let evidence = try KnownChange.evidence(AttributionPatching(), finetuned, access: .pool)
    let map = try #require(evidence.heatMap(Self.title))
    #expect(map.enumerated().allSatisfy { $0.offset == 1 || $0.element[1] == 0 })
    #expect(map[2...].contains { abs($0[0]) > 0.05 })
    #expect(evidence.sites?.first?.site == .mlp(layer: 0))
  }

  @Test("of a small change of one head's queries the head has all")
  func heads() throws {
    var finetuned = base
    let name = "model.layers.2.self_attn.q_proj.weight"
    var tensor = base.parameters[name]
    for row in 6..<12 { for column in 0..<12 { tensor[row, column] *= 1.02 } }
    finetuned.parameters[name] = tensor
    let evidence = try KnownChange.evidence(AttributionPatching(), finetuned, access: .pool)
    let heads = try #require(evidence.heatMap("Share of the change that each head brings"))
    #expect(abs(heads[2][1] - 1) < 0.05)
    #expect([heads[2][0], heads[2][2], heads[2][3]].allSatisfy { abs($0) < 1e-3 })
  }

  @Test("changed weights outside of the blocks are swapped")
  func outside() throws {
    let finetuned = moved([base.names.unembedding, base.names.finalNorm], by: 0.2)
    let evidence = try KnownChange.evidence(AttributionPatching(), finetuned, access: .pool)
    let exact = try KnownChange.evidence(ActivationPatching(), finetuned, access: .pool)
    let own = Dictionary(
      uniqueKeysWithValues: try #require(evidence.sites).map { ($0.site, $0.score) })
    for claim in try #require(exact.sites) {
      #expect(abs((own[claim.site] ?? .nan) - claim.score) < 1e-4, "\(claim.site)")
    }
  }
}
