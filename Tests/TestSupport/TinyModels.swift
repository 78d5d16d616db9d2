package import Tensors
package import Transformers

/// Small random models whose activations are far from trivial.
package enum TinyModels {
  /// A decoder with grouped heads and an odd vocabulary; weights are large enough to matter.
  package static func llama(
    seed: UInt64 = 1, layers: Int = 2, isTied: Bool = false, biases: Bool = false,
    vocabulary: Int = 19, deviation: Double = 0.3
  ) -> DecoderModel {
    var parts = Architectures.standardParts(vocabulary: vocabulary)
    (parts.width, parts.layers, parts.mlpWidth) = (12, layers, 10)
    (parts.heads, parts.keyHeads, parts.headWidth) = (4, 2, 6)
    (parts.attention.reach.rotary, parts.isTied) = (RotaryPositions(theta: 100), isTied)
    if biases { parts.biases = Set(TensorRole.allCases.filter(\.isMatrix)) }
    return random(parts, seed: seed, deviation: deviation)
  }

  /// A model of some parts, its gains and biases random too.
  private static func random(_ parts: DecoderParts, seed: UInt64, deviation: Double)
    -> DecoderModel
  {
    var model = DecoderModel(parts, seed: seed, deviation: deviation)
    var generator = SeededGenerator(seed: seed, for: "gains and biases")
    for entry in model.parameters.layout.entries where entry.shape.count == 1 {
      model.parameters[entry.name] = model.parameters[entry.name].map {
        $0 + Float(generator.normal() * 0.2)
      }
    }
    return model
  }

  /// A model of other parts, its weights random too.
  package static func varied(_ change: (inout DecoderParts) -> Void) -> DecoderModel {
    var parts = llama().parts
    change(&parts)
    return random(parts, seed: 1, deviation: 0.3)
  }

  /// A model in which tokens are hardly told apart, so that what a token changes is what it changes to first order.
  ///
  /// - Parameter spread: How much of its own embedding each token has beside the first one's.
  package static func flattened(_ model: DecoderModel, spread: Float) -> DecoderModel {
    var model = model
    let name = model.names.embedding, embedding = model.parameters[name]
    let first = Array(embedding.row(0))
    model.parameters[name] = Tensor(
      shape: embedding.shape,
      scalars: (0..<embedding.rows).flatMap { row in
        zip(first, embedding.row(row)).map { $0 + spread * $1 }
      })
    return model
  }

  /// Rows of random tokens of the given lengths.
  package static func rows(_ lengths: [Int], vocabulary: Int = 19, seed: UInt64 = 2) -> [[Int]] {
    var generator = SeededGenerator(seed: seed, for: "rows")
    return lengths.map { length in (0..<length).map { _ in generator.index(below: vocabulary) } }
  }
}

extension Parameters {
  /// All numbers, updates included, one tensor behind the other.
  package var allNumbers: Tensor { Tensor(layout.names.flatMap { self[$0].scalars }) }
}
