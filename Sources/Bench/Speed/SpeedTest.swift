internal import Foundation
internal import Tensors
internal import Transformers

/// A model size and batch that speed is measured at.
package struct SpeedShape: Codable, Sendable, Hashable {
  package let width: Int
  package let layers: Int
  package let heads: Int
  /// Key and value heads, which queries share in groups.
  package let keyHeads: Int
  package let intermediate: Int
  package let vocabulary: Int
  package let batch: Int
  /// Whether the unembedding is the embedding.
  package let isTied: Bool
  /// What is timed of it.
  package let kinds: [SpeedKind]

  package static let context = 64

  init(
    width: Int, layers: Int, heads: Int, keyHeads: Int? = nil, intermediate: Int,
    vocabulary: Int = 1024, batch: Int, isTied: Bool = false,
    kinds: [SpeedKind] = [.train, .forward]
  ) {
    self.width = width
    self.layers = layers
    self.heads = heads
    self.keyHeads = keyHeads ?? heads
    self.intermediate = intermediate
    self.vocabulary = vocabulary
    self.batch = batch
    self.isTied = isTied
    self.kinds = kinds
  }

  /// Those of the worlds' models.
  package static let small = [
    SpeedShape(width: 64, layers: 3, heads: 4, intermediate: 176, batch: 32),
    SpeedShape(width: 128, layers: 4, heads: 8, intermediate: 344, batch: 32),
    SpeedShape(width: 256, layers: 6, heads: 8, intermediate: 688, batch: 16),
  ]

  /// That of SmolLM2-135M.
  package static let large = [
    SpeedShape(
      width: 576, layers: 30, heads: 9, keyHeads: 3, intermediate: 1536, vocabulary: 49152,
      batch: 8, isTied: true, kinds: [.lora, .forward])
  ]

  package var name: String { "width \(width), \(layers) layers, batch \(batch)" }
  var tokens: Int { batch * Self.context }
}

/// What is timed.
package enum SpeedKind: String, Codable, CaseIterable, Sendable {
  /// Forward, gradient, clipping and AdamW.
  case train
  /// The same of rank-8 factors of the queries, values, outputs and down projections of every block, with a loss on the last 24 tokens
  /// of a row alone.
  case lora
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
  private let trainers: [SpeedKind: Trainer]
  private let batch: TrainingBatch
  /// The same rows with a loss on their ends alone.
  private let answers: TrainingBatch

  package init(_ shape: SpeedShape) {
    self.shape = shape
    var parts = Architectures.standardParts(vocabulary: shape.vocabulary)
    (parts.width, parts.layers, parts.mlpWidth) = (shape.width, shape.layers, shape.intermediate)
    (parts.heads, parts.keyHeads) = (shape.heads, shape.keyHeads)
    (parts.headWidth, parts.context) = (shape.width / shape.heads, SpeedShape.context)
    parts.isTied = shape.isTied
    let model = DecoderModel(parts, seed: 0)
    self.model = model
    trainers = Dictionary(
      uniqueKeysWithValues: shape.kinds.compactMap { kind in
        Self.adaptation(kind, of: model).map {
          (
            kind,
            Trainer(
              model, $0,
              TrainingOptions(learningRate: 1e-3, steps: 1_000_000, weightDecay: 0.1))
          )
        }
      })
    var generator = SeededGenerator(seed: 0)
    let rows = (0..<shape.batch).map { _ in
      (0..<SpeedShape.context).map { _ in generator.index(below: shape.vocabulary) }
    }
    batch = TrainingBatch(rows)
    answers = TrainingBatch(
      batch.tokens,
      .nextToken(
        weights: batch.tokens.tokens.indices.map {
          $0 % SpeedShape.context < SpeedShape.context - Self.answer ? 0 : 1
        }))
    for kind in shape.kinds { run(kind) }
  }

  /// The last tokens of a row, which a LoRA's loss is on.
  private static let answer = 24

  /// What a kind of training changes.
  private static func adaptation(_ kind: SpeedKind, of model: any LanguageModel) -> Adaptation? {
    let layout = model.parameters.layout
    switch kind {
    case .forward: return nil
    case .train: return .full(Set(layout.names))
    case .lora:
      let roles: Set<TensorRole> = [.query, .value, .attentionOutput, .down]
      let targets = model.names.blocks.flatMap { block in
        block.filter { roles.contains($0.role) && !$0.isBias }.map(\.name)
      }
      var generator = SeededGenerator(seed: 0)
      return .lora(
        LoRA(rank: 8, alpha: 16, targets: targets, layout: layout, using: &generator))
    }
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
    case .train: trainers[kind]?.take([(batch, 1)])
    case .lora: trainers[kind]?.take([(answers, 1)])
    case .forward: _ = model.forward(batch.tokens, logits: .all)
    }
  }
}

/// The kernels that a benchmark's figures belong to.
package var engineDescription: String {
  "OpenBLAS core \(openBLASCore), Assay kernels \(kernelLevel)"
}
