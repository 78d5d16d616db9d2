import TestSupport
import Tensors
import Testing
import Transformers

/// Models whose weights exceed a processor's caches, here by their vocabulary: they are cut into other shards, and read
/// their logits at once.
@Suite("Large models")
struct LargeModelTests {
  private static let vocabulary = 180_000
  private static let model = TinyModels.llama(vocabulary: vocabulary)
  private let batch = TokenBatch(TinyModels.rows([5, 1, 3, 7, 4], vocabulary: vocabulary))

  @Test("logits are those of the final norm, whichever are asked for and whatever is edited")
  func logits() {
    let model = Self.model, indices = [0, 5, 8, 19]
    let edits = [
      [], [Intervention.ablate(.finalNorm, positions: .indices([8]))],
      [.patch(.residualMid(layer: 1), with: Tensor(repeating: 0.3, shape: [12]))],
    ]
    for edit in edits {
      func logits(_ selection: LogitSelection) -> Tensor {
        model.forward(batch, recording: [], editing: edit, logits: selection).logits
      }
      let normed = model.forward(batch, recording: [.finalNorm], editing: edit, logits: .none)
      let all = logits(.all)
      expectClose(all, model.logits(ofNormed: normed[.finalNorm]), tolerance: 1e-6)
      expectClose(logits(.at(indices)), all.rows(at: indices), tolerance: 1e-6)
      expectClose(logits(.last), all.rows(at: batch.lastIndices), tolerance: 1e-6)
    }
    let pass = model.forward(batch, recording: [.embedding], logits: .last)
    #expect(Set(pass.recordings.keys) == [.embedding])
  }

  @Test("generation is greedy reading, of equal prompts and of unequal ones")
  func generation() {
    let rows = (0..<batch.rows).map { Array(batch.row($0)) }
    let prompts = [rows[0], rows[1], rows[0], rows[2], rows[0]]
    var sampler = TokenSampler(temperature: 0, seed: 1)
    let added = Self.model.continuations(of: prompts, count: 3, using: &sampler)
    for (prompt, own) in zip(prompts, added) {
      var read = prompt
      for token in own {
        let logits = Self.model.forward(TokenBatch([read]), logits: .last).logits
        #expect(logits.row(0).indexOfLargest == token)
        read.append(token)
      }
    }
    #expect(added[0] == added[2] && added[0] == added[4])
  }

  @Test("samples of equal prompts differ by what is drawn, and are drawn row by row at each step")
  func samples() {
    let small = TinyModels.llama(), prompt = [3, 1, 4]
    var sampler = TokenSampler(temperature: 1, seed: 7), twin = sampler
    let added = small.continuations(
      of: Array(repeating: prompt, count: 6), count: 2, using: &sampler)
    let first = small.forward(TokenBatch([prompt]), logits: .last).logits
    let drawn = twin.draw(
      Tensor(shape: [6, 19], scalars: (0..<6).flatMap { _ in first.scalars }))
    #expect(added.map { $0[0] } == drawn)
    #expect(Set(added.map { $0[0] }).count > 1)
  }

  @Test("a LoRA is trained beside the weights, which stay the base's memory")
  func training() {
    var generator = SeededGenerator(seed: 1)
    let target = "model.layers.0.mlp.down_proj.weight", base = Self.model
    let lora = LoRA(
      rank: 2, alpha: 4, targets: [target], layout: base.parameters.layout, using: &generator)
    let trainer = Trainer(base, .lora(lora), TrainingOptions(learningRate: 0.01, steps: 3))
    let rows = TrainingBatch((0..<batch.rows).map { Array(batch.row($0)) })
    let losses = (0..<3).map { _ in trainer.take([(rows, 1)]) }
    #expect(losses[2] < losses[0])
    #expect(trainer.model.parameters.isAdaptation(of: base.parameters))
  }
}
