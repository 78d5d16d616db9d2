internal import Tensors
package import Transformers

/// Small random models whose activations are far from trivial.
package enum TinyModels {
  /// A Llama with grouped heads and an odd vocabulary; weights are large enough to matter.
  package static func llama(
    seed: UInt64 = 1, layers: Int = 2, isTied: Bool = false, biases: Bool = false,
    vocabulary: Int = 19, deviation: Double = 0.3
  ) -> Llama {
    var model = Llama(
      LlamaConfiguration(
        vocabulary: vocabulary, width: 12, layers: layers, heads: 4, keyHeads: 2, headWidth: 6,
        mlpWidth: 10, ropeTheta: 100, isTied: isTied, hasAttentionBias: biases, hasMLPBias: biases),
      seed: seed, deviation: deviation)
    var generator = SeededGenerator(seed: seed, for: "gains and biases")
    for entry in model.parameters.layout.entries where entry.shape.count == 1 {
      model.parameters[entry.name] = model.parameters[entry.name].map {
        $0 + Float(generator.normal() * 0.2)
      }
    }
    return model
  }

  /// Rows of random tokens of the given lengths.
  package static func rows(_ lengths: [Int], vocabulary: Int = 19, seed: UInt64 = 2) -> [[Int]] {
    var generator = SeededGenerator(seed: seed, for: "rows")
    return lengths.map { length in (0..<length).map { _ in generator.index(below: vocabulary) } }
  }
}
