import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Training")
struct TrainingTests {
  let model = TinyModels.llama()
  let batch = TrainingBatch(TinyModels.rows([8, 8, 8, 8]))

  private func train(_ adaptation: Adaptation, steps: Int = 8, rate: Float = 1e-2) -> Trainer {
    let trainer = Trainer(
      model, adaptation, TrainingOptions(learningRate: rate, steps: steps, warmUp: 0))
    for _ in 0..<steps { trainer.take([(batch, 1)]) }
    return trainer
  }

  @Test("the first step of AdamW moves each weight by the learning rate against its gradient")
  func firstStep() {
    let names = Set(model.parameters.layout.names)
    let trainer = Trainer(
      model, .full(names),
      TrainingOptions(learningRate: 1e-3, steps: 1, warmUp: 0, weightDecay: 0, clip: .infinity))
    let gradient = model.lossAndGradient(on: batch).gradient
    trainer.take([(batch, 1)])
    let name = "model.layers.1.mlp.up_proj.weight"
    let moved = trainer.model.parameters[name] - model.parameters[name]
    let expected = gradient[name].map { $0 == 0 ? 0 : -1e-3 * $0 / (abs($0) + 1e-8) }
    expectClose(moved, expected, tolerance: 1e-2)
  }

  @Test("decay shrinks matrices towards zero and leaves gains alone")
  func decay() {
    let still = TrainingBatch(
      batch.tokens, .nextToken(weights: Array(repeating: 0, count: batch.tokens.count)))
    let trainer = Trainer(
      model, .full(Set(model.parameters.layout.names)),
      TrainingOptions(learningRate: 0.1, steps: 1, warmUp: 0, weightDecay: 0.5))
    trainer.take([(still, 1)])
    let matrix = "model.layers.0.mlp.up_proj.weight", gain = "model.norm.weight"
    expectClose(
      trainer.model.parameters[matrix], model.parameters[matrix].scaled(by: 0.95), tolerance: 1e-6)
    #expect(trainer.model.parameters[gain] == model.parameters[gain])
  }

  @Test("only tensors in the write mask change")
  func writeMask() {
    let mask: Set<String> = ["model.layers.0.self_attn.o_proj.weight"]
    let trained = train(.full(mask)).model
    for name in model.parameters.layout.names {
      #expect(
        (trained.parameters[name] != model.parameters[name]) == mask.contains(name), "\(name)")
    }
  }

  @Test("of a masked tensor only the open entries change")
  func entryMask() {
    let name = "model.layers.0.self_attn.o_proj.weight"
    var mask = Parameters(layout: model.parameters.layout)
    var open = mask[name]
    for row in 0..<open.rows { open[row, 3] = 1 }
    mask[name] = open
    let trained = train(.masked([name], mask: mask)).model
    let change = trained.parameters[name] - model.parameters[name]
    for column in 0..<open.columns {
      let moved = (0..<open.rows).filter { change[$0, column] != 0 }
      #expect(moved.count == (column == 3 ? open.rows : 0), "column \(column)")
    }
    #expect(trained.parameters["model.norm.weight"] == model.parameters["model.norm.weight"])
  }

  @Test("training lowers the loss, with full weights and with LoRA")
  func descends() {
    var generator = SeededGenerator(seed: 1)
    let blocks = model.names.blockNames
      .filter { model.parameters.layout[$0].shape.count == 2 }
    let lora = LoRA(
      rank: 2, alpha: 4, targets: blocks, layout: model.parameters.layout, using: &generator)
    let before = model.lossAndGradient(on: batch).loss
    for adaptation in [Adaptation.full(Set(model.parameters.layout.names)), .lora(lora)] {
      #expect(train(adaptation, steps: 20).model.lossAndGradient(on: batch).loss < before - 0.3)
    }
  }

  @Test("LoRA factors get the gradient of the merged weights")
  func loraGradient() {
    var generator = SeededGenerator(seed: 1)
    let target = "model.layers.1.mlp.down_proj.weight"
    let lora = LoRA(
      rank: 2, alpha: 3, targets: [target], layout: model.parameters.layout, using: &generator)
    // One plain descent step on both factors equals that of the chain rule; B starts at zero, so
    // only B moves: dB = s dW Aᵀ.
    let trainer = Trainer(
      model, .lora(lora), TrainingOptions(learningRate: 1e-3, steps: 1, warmUp: 0, clip: .infinity))
    trainer.take([(batch, 1)])
    let weightGradient = model.lossAndGradient(on: batch).gradient[target]
    let expected = matrixProduct(
      weightGradient, lora.factors["\(target).A"], transposingB: true)
    guard let after = trainer.lora else {
      Issue.record("the trainer lost its factors")
      return
    }
    let moved = after.factors["\(target).B"]
    expectClose(
      moved, expected.map { $0 == 0 ? 0 : -1e-3 * ($0 > 0 ? 1 : -1) }, tolerance: 2e-2)
    #expect(after.factors["\(target).A"] == lora.factors["\(target).A"])
    expectClose(
      trainer.model.parameters[target] - model.parameters[target],
      matrixProduct(moved, lora.factors["\(target).A"]).scaled(by: 1.5), tolerance: 1e-3)
  }

  @Test("the same seed gives the same bytes with one thread and with two")
  func threads() {
    let before = Shards.threads
    defer { Shards.threads = before }
    let all = Set(model.parameters.layout.names)
    let results = [1, 2].map { threads in
      Shards.threads = threads
      return train(.full(all)).model.parameters
    }
    #expect(results[0] == results[1])
  }

  @Test("the learning rate warms up and falls along a cosine")
  func schedule() {
    let recipe = TrainingOptions(
      learningRate: 1, steps: 11, warmUp: 1, schedule: .cosine(to: 0.1))
    #expect(recipe.rate(at: 0) == 0.5)
    #expect(recipe.rate(at: 1) == 1)
    #expect(abs(recipe.rate(at: 6) - 0.55) < 1e-6)
    #expect(abs(recipe.rate(at: 11) - 0.1) < 1e-6)
  }

  @Test("a student that agrees with its teacher has neither loss nor gradient")
  func distillation() {
    let tokens = batch.tokens, indices = [2, 9, 17]
    let target = Distillation(from: model, reading: tokens, at: indices, for: indices)
    let result = model.lossAndGradient(on: TrainingBatch(tokens, .distillation(target)))
    #expect(abs(result.loss) < 1e-6)
    #expect(result.gradient.allNumbers.norm < 1e-5)
  }

  @Test("a trainable residual bias is the only thing that moves")
  func bias() {
    let wider = model.addingMLPBiases()
    let name = "model.layers.0.mlp.down_proj.bias"
    let trainer = Trainer(
      wider, .full([name]), TrainingOptions(learningRate: 1e-2, steps: 5, warmUp: 0))
    for _ in 0..<5 { trainer.take([(batch, 1)]) }
    let site = ActivationSite.residualPost(layer: 0)
    func recorded(_ model: any LanguageModel) -> Tensor {
      model.forward(batch.tokens, recording: [site])[site]
    }
    let moved = recorded(trainer.model) - recorded(wider)
    let bias = trainer.model.parameters[name]
    #expect(bias.norm > 0.01)
    for token in 0..<batch.tokens.count {
      expectClose(Array(moved.row(token)), bias.scalars, tolerance: 1e-3)
    }
  }
}
