internal import Dictionaries
internal import Foundation
internal import Tensors

/// A crosscoder and a batch that speed is measured at.
package struct DictionaryShape: Codable, Sendable, Hashable {
  /// Numbers of an activation of one model.
  package let width: Int
  /// How many models' activations lie side by side.
  package let models: Int
  package let latents: Int
  /// Active latents of a row, on average.
  package let sparsity: Int
  package let batch: Int

  /// Eight latents for each number of an activation of the worlds' models, and as many as fit one of SmolLM2-135M.
  package static let all = [
    DictionaryShape(width: 64, models: 2, latents: 512, sparsity: 8, batch: 512),
    DictionaryShape(width: 576, models: 2, latents: 4096, sparsity: 32, batch: 512),
  ]

  package var name: String { "width \(width), \(latents) latents, batch \(batch)" }
}

/// Times the learning of a crosscoder of random activations.
package struct DictionarySpeed {
  private let shape: DictionaryShape
  private let activations: Tensor

  package init(_ shape: DictionaryShape) {
    self.shape = shape
    var generator = SeededGenerator(seed: 0)
    let rows = 8 * shape.batch, columns = shape.models * shape.width
    activations = generator.direction(rows * columns, norm: 1).reshaped([rows, columns])
  }

  /// Takes some steps on one thread and returns their throughput, in rows.
  package func measure(steps: Int) -> Throughput {
    var options = BatchTopKTrainer.Options(
      latents: shape.latents, sparsity: shape.sparsity, steps: steps, batch: shape.batch)
    // From the first step on as after the annealing, and none is dead: what a step of a long training does.
    (options.annealing, options.silence) = (0, 2)
    var generator = SeededGenerator(seed: 0)
    let (start, cpu) = (Date(), processorSeconds())
    _ = BatchTopKTrainer.train(
      on: activations, models: shape.models, options, using: &generator)
    let rows = Double(steps * shape.batch)
    return Throughput(
      tokensPerSecond: rows / max(Date().timeIntervalSince(start), 1e-9),
      tokensPerCPUSecond: rows / max(processorSeconds() - cpu, 1e-9))
  }
}
