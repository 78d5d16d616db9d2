import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Pairs that are kept as factors")
struct LowRankPairTests: KnownChangeSuite {
  @Test(
    "factors and their product give the same evidence, and the factors need the base's memory once")
  func factors() throws {
    let base = LowRankPair.base
    let adapted = base.with(LowRankPair.lora.adapted(base.parameters))
    let merged = base.with(LowRankPair.lora.merged(into: base.parameters))
    for method in [WeightNorm(), WeightSpectrum(), IntruderDimensions()] as [any DiffingMethod] {
      let left = try KnownChange.evidence(method, adapted, base: base, access: .weights)
      let right = try KnownChange.evidence(method, merged, base: base, access: .weights)
      #expect(left.sites?.map(\.site) == right.sites?.map(\.site), "\(method.card.id)")
      #expect(abs((left.magnitude ?? 0) / (right.magnitude ?? 1) - 1) < 1e-3, "\(method.card.id)")
      #expect(
        left.tokens?.prefix(4).map(\.token) == right.tokens?.prefix(4).map(\.token),
        "\(method.card.id)")
    }
    let full = 2 * base.parameters.bytes()
    let pair = base.parameters.bytes() + adapted.parameters.bytes(beside: base.parameters)
    #expect(Double(pair) < 0.55 * Double(full))
    // Merged, every block has memory of its own, and what is outside of them is still the base's.
    let whole = base.parameters.bytes() + merged.parameters.bytes(beside: base.parameters)
    #expect(Double(whole) > 0.9 * Double(full) && whole < full)
  }
}

/// A LoRA finetune of a wide enough model for factors to be small.
enum LowRankPair {
  static let base = {
    var parts = Architectures.standardParts(vocabulary: 19)
    (parts.width, parts.layers, parts.mlpWidth) = (48, 2, 96)
    (parts.heads, parts.keyHeads, parts.headWidth) = (4, 2, 12)
    parts.attention.reach.rotary = RotaryPositions(theta: 100)
    return DecoderModel(parts, seed: 1, deviation: 0.25)
  }()

  static let lora: LoRA = {
    var generator = SeededGenerator(seed: 4)
    let targets = base.names.blockNames.filter {
      base.parameters.layout[$0].shape.count == 2
    }
    var lora = LoRA(
      rank: 1, alpha: 1, targets: targets, layout: base.parameters.layout, using: &generator)
    for target in targets {
      let shape = lora.factors.layout["\(target).B"].shape
      lora.factors["\(target).B"] = generator.direction(shape[0] * shape[1]).reshaped(shape)
    }
    return lora
  }()
}
