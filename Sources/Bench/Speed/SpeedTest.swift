internal import Foundation
internal import Tensors
internal import Transformers

/// A model size and batch that speed is measured at.
package struct SpeedShape: Codable, Sendable, Hashable {
  package let width: Int
  package let layers: Int
  package let heads: Int
  package let intermediate: Int
  package let batch: Int

  package static let vocabulary = 1024
  package static let context = 64

  package static let all = [
    SpeedShape(width: 64, layers: 3, heads: 4, intermediate: 176, batch: 32),
    SpeedShape(width: 128, layers: 4, heads: 8, intermediate: 344, batch: 32),
    SpeedShape(width: 256, layers: 6, heads: 8, intermediate: 688, batch: 16),
  ]

  package var name: String { "width \(width), \(layers) layers, batch \(batch)" }
  var tokens: Int { batch * Self.context }
}

/// What is timed.
package enum SpeedKind: String, Codable, CaseIterable, Sendable {
  /// Forward, gradient, clipping and AdamW.
  case train
  /// Forward with all logits.
  case forward
}

/// Tokens a second, by the clock and by the processor's time.
package struct Throughput: Codable, Sendable {
  package let tokensPerSecond: Double
  package let tokensPerCPUSecond: Double

  package init(tokensPerSecond: Double, tokensPerCPUSecond: Double) {
    self.tokensPerSecond = tokensPerSecond
    self.tokensPerCPUSecond = tokensPerCPUSecond
  }

  /// The median of several measurements.
  package static func median(_ all: [Throughput]) -> Throughput {
    func middle(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    return Throughput(
      tokensPerSecond: middle(all.map(\.tokensPerSecond)),
      tokensPerCPUSecond: middle(all.map(\.tokensPerCPUSecond)))
  }
}

/// Times training and forward passes of a random model.
package final class EngineSpeed {
  private let shape: SpeedShape
  private let model: any LanguageModel
  private let trainer: Trainer
  private let batch: TrainingBatch

  package init(_ shape: SpeedShape) {
    self.shape = shape
    model = Architectures.standard(
      DecoderSize(
        vocabulary: SpeedShape.vocabulary, width: shape.width, layers: shape.layers,
        heads: shape.heads, mlpWidth: shape.intermediate, context: SpeedShape.context),
      seed: 0)
    trainer = Trainer(
      model, .full(Set(model.parameters.layout.names)),
      TrainingOptions(learningRate: 1e-3, steps: 1_000_000, weightDecay: 0.1))
    var generator = SeededGenerator(seed: 0)
    batch = TrainingBatch(
      (0..<shape.batch).map { _ in
        (0..<SpeedShape.context).map { _ in
          generator.index(below: SpeedShape.vocabulary)
        }
      })
    run(.train)
    run(.forward)
  }

  /// Runs some steps and returns their throughput.
  package func measure(_ kind: SpeedKind, steps: Int, threads: Int) -> Throughput {
    let before = Shards.threads
    Shards.threads = threads
    defer { Shards.threads = before }
    let (start, cpu) = (Date(), processorSeconds())
    for _ in 0..<steps { run(kind) }
    let tokens = Double(steps * shape.tokens)
    return Throughput(
      tokensPerSecond: tokens / max(Date().timeIntervalSince(start), 1e-9),
      tokensPerCPUSecond: tokens / max(processorSeconds() - cpu, 1e-9))
  }

  private func run(_ kind: SpeedKind) {
    switch kind {
    case .train: trainer.take([(batch, 1)])
    case .forward: _ = model.forward(batch.tokens, logits: .all)
    }
  }
}

/// The kernels that a benchmark's figures belong to.
package var engineDescription: String {
  "OpenBLAS core \(openBLASCore), Assay kernels \(kernelLevel)"
}
