internal import Tensors

/// Which gradients somebody asked for, so that the others' matrix products are left out.
struct GradientNeeds: Sendable {
  let embedding, head: Bool
  let blocks: [Bool]

  init(_ model: DecoderModel, _ scope: GradientScope) {
    let updated = Set(model.parameters.updatedNames), names = model.names
    func needs(_ name: String) -> Bool {
      switch scope {
      case .all: true
      case .tensors(let tensors): tensors.contains(name)
      case .updates: updated.contains(name)
      }
    }
    embedding = needs(names.embedding) || names.positions.map(needs) == true
    head = needs(names.unembedding)
    blocks = names.blocks.map { $0.map(\.name).contains(where: needs) }
  }

  /// Below this block nothing is asked for.
  var firstLayer: Int { embedding ? 0 : blocks.firstIndex(of: true) ?? blocks.count }
}

/// Computes a decoder's gradients: one gradient buffer a shard, one arena a thread.
final class DecoderGradientTape: GradientTape {
  private let parts: DecoderParts
  private let shards: [Shard]
  private let arenas = ArenaPool()
  private var total: Parameters

  /// A shard's memory; only one thread works on a shard at a time.
  private final class Shard: @unchecked Sendable {
    var gradient = Parameters(layout: ParameterLayout([]))
    var loss = 0.0
  }

  init(_ parts: DecoderParts) {
    self.parts = parts
    shards = (0..<Shards.count).map { _ in Shard() }
    total = Parameters(layout: ParameterLayout([]))
  }

  func lossAndGradient(
    of model: any LanguageModel, on batch: TrainingBatch, scope: GradientScope
  ) -> (loss: Double, gradient: Parameters) {
    guard let model = model as? DecoderModel, model.parts == parts else {
      preconditionFailure("This tape was made for another model")
    }
    let task = Task(model, batch, scope), shards = shards, arenas = arenas
    prepare(task.layout)
    Shards.forEach { index in
      arenas.withArena { arena in
        Self.run(
          shards[index], rows: Shards.ranges(of: batch.tokens.rows)[index], of: batch, task, arena)
      }
    }
    reduce()
    return (shards.reduce(0) { $0 + $1.loss }, total)
  }

  /// What all shards compute.
  private struct Task: Sendable {
    let parts: DecoderParts
    let weights: DecoderModel.Weights
    let loss: SharedLoss
    let needs: GradientNeeds
    /// Of the gradient.
    let layout: ParameterLayout
    private let ofFactors: Bool

    init(_ model: DecoderModel, _ batch: TrainingBatch, _ scope: GradientScope) {
      parts = model.parts
      needs = GradientNeeds(model, scope)
      loss = SharedLoss(batch)
      if case .updates = scope {
        ofFactors = true
        layout = model.parameters.factorLayout
        precondition(
          !needs.embedding && !needs.head, "Only updates of the blocks' matrices have gradients")
      } else {
        ofFactors = false
        layout = model.parameters.layout
      }
      // The gradient of tensors is that of the sum, so the sum is what it is computed at.
      let parameters = ofFactors ? model.parameters : model.parameters.merged
      weights = DecoderModel.Weights(parameters.holdingAll, parts)
    }

    func gradients(_ memory: Parameters) -> DecoderGradients {
      ofFactors ? DecoderGradients(factors: memory, parts) : DecoderGradients(memory, parts, needs)
    }
  }

  /// Sees to it that all memory is laid out as the gradient is.
  private func prepare(_ layout: ParameterLayout) {
    guard total.layout != layout else { return }
    total = Parameters(layout: layout)
    for shard in shards { shard.gradient = Parameters(layout: layout) }
  }

  private static func run(
    _ shard: Shard, rows: Range<Int>, of batch: TrainingBatch, _ task: Task, _ arena: Arena
  ) {
    let parts = task.parts, weights = task.weights
    shard.loss = 0
    shard.gradient.mutablePieces().forEach { $0.fill(0) }
    let range = batch.tokens.range(rows: rows)
    guard !range.isEmpty else { return }
    let segments = ShardedBatch.segments(rows, of: batch.tokens)
    let activations = DecoderActivations(
      parts, segments: segments, arena: arena, retainingFrom: task.needs.firstLayer)
    let pass = DecoderPass(
      parts: parts, weights: weights, segments: segments, activations: activations)
    pass.run(batch.tokens.tokens[range])
    let gradients = task.gradients(shard.gradient)
    let finalGradient = arena.zeros(rows: range.count, columns: parts.width)
    let head = HeadLoss(
      hidden: activations.finalNormed, hiddenGradient: finalGradient, head: weights.head,
      headGradient: gradients.head, cap: parts.logitCap, arena: arena)
    shard.loss = head.run(task.loss, tokens: range)
    let back = DecoderGradientPass(
      parts: parts, weights: weights, gradients: gradients, segments: segments,
      activations: activations, firstLayer: task.needs.firstLayer, arena: arena)
    back.run(batch.tokens.tokens[range], finalGradient: finalGradient)
  }

  /// Adds the shards' gradients in a fixed order.
  private func reduce() {
    let target = total.mutablePieces(), parts = shards.map { $0.gradient.readPieces() }
    Shards.forEach { share in
      for (piece, whole) in target.enumerated() {
        let columns = Shards.ranges(of: whole.columns)[share], window = whole.columns(columns)
        window.copy(parts[0][piece].columns(columns))
        for part in parts.dropFirst() { addScaled(part[piece].columns(columns), to: window) }
      }
    }
  }
}

extension Parameters {
  /// The names and shapes of all updates' factors, as `LoRA` has them.
  fileprivate var factorLayout: ParameterLayout {
    ParameterLayout(
      updatedNames.flatMap { name -> [(name: String, shape: [Int])] in
        guard let update = update(of: name) else { return [] }
        return [("\(name).A", update.right.shape), ("\(name).B", update.left.shape)]
      })
  }
}

extension DecoderModel {
  package func makeGradientTape() -> any GradientTape { DecoderGradientTape(parts) }
}
