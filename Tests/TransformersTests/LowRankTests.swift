import TestSupport
import Tensors
import Testing
import Transformers

/// LoRA finetunes that share their base's memory.
@Suite("Low-rank updates beside the weights")
struct LowRankTests {
  static let base = TinyModels.llama(layers: 2)

  /// Rank-3 factors of every matrix of the blocks, none zero.
  static let lora: LoRA = {
    var generator = SeededGenerator(seed: 4)
    let targets = base.parameters.layout.entries.filter {
      $0.shape.count == 2 && $0.name.contains("layers")
    }.map(\.name)
    var lora = LoRA(
      rank: 3, alpha: 6, targets: targets, layout: base.parameters.layout, using: &generator)
    for target in targets {
      let shape = lora.factors.layout["\(target).B"].shape
      lora.factors["\(target).B"] = generator.direction(shape[0] * shape[1]).reshaped(shape)
    }
    return lora
  }()

  private var adapted: DecoderModel { Self.base.with(Self.lora.adapted(Self.base.parameters)) }
  private var merged: DecoderModel { Self.base.with(Self.lora.merged(into: Self.base.parameters)) }

  @Test("an adapted model computes what the merged one does, and shares the base's memory")
  func forward() {
    let batch = TokenBatch(TinyModels.rows([5, 9, 3]))
    let sites = Set(Self.base.sites)
    let left = adapted.forward(batch, recording: sites, logits: .all)
    let right = merged.forward(batch, recording: sites, logits: .all)
    expectClose(left.logits, right.logits, tolerance: 1e-5)
    for site in sites { expectClose(left[site], right[site], tolerance: 1e-5, "\(site)") }
    #expect(adapted.parameters.isAdaptation(of: Self.base.parameters))
    #expect(!merged.parameters.isAdaptation(of: Self.base.parameters))
    #expect(!Self.base.parameters.isAdaptation(of: Self.base.parameters))
    // Of another finetune of the base it is none: what that one has beside the memory is not here.
    #expect(!adapted.parameters.isAdaptation(of: adapted.parameters))
  }

  @Test("tensors, bytes and windows read the sum")
  func reading() {
    let adapted = adapted.parameters, merged = merged.parameters
    for name in merged.layout.names {
      expectClose(adapted[name], merged[name], tolerance: 1e-6, name)
      expectClose(adapted.matrix(name).tensor.scalars, merged[name].scalars, tolerance: 1e-6, name)
      #expect(adapted.bytes(name) == adapted.merged.bytes(name))
    }
    #expect(adapted != Self.base.parameters)
    #expect(adapted == adapted.merged)
  }

  @Test("writing one tensor keeps the others' updates and leaves the base alone")
  func writing() {
    let name = Self.lora.targets[0], other = Self.lora.targets[1]
    var written = adapted.parameters
    written[name] = written[name].scaled(by: 2)
    #expect(written.update(of: name) == nil)
    #expect(written.update(of: other) != nil)
    expectClose(written[name], merged.parameters[name].scaled(by: 2), tolerance: 1e-6)
    expectClose(written[other], merged.parameters[other], tolerance: 1e-6)
    #expect(Self.base.parameters == TinyModels.llama(layers: 2).parameters)
  }

  @Test("gradients of an adapted model are those of the merged one")
  func gradient() {
    let batch = TrainingBatch(TinyModels.rows([6, 4]))
    let left = adapted.lossAndGradient(on: batch), right = merged.lossAndGradient(on: batch)
    #expect(abs(left.loss - right.loss) < 1e-5)
    expectClose(left.gradient.allNumbers, right.gradient.allNumbers, tolerance: 1e-4)
  }

  @Test("gradients of the factors are what the chain rule makes of the matrices'")
  func factorGradient() {
    let batch = TrainingBatch(TinyModels.rows([6, 4, 5]))
    let tape = adapted.makeGradientTape()
    let factors = tape.lossAndGradient(of: adapted, on: batch, scope: .updates)
    let whole = merged.lossAndGradient(on: batch)
    #expect(abs(factors.loss - whole.loss) < 1e-5)
    #expect(factors.gradient.layout.names.count == 2 * Self.lora.targets.count)
    for target in Self.lora.targets {
      let update = Self.lora.update(of: target), matrix = whole.gradient[target]
      expectClose(
        factors.gradient["\(target).A"], matrixProduct(update.left, matrix, transposingA: true),
        tolerance: 1e-4, target)
      expectClose(
        factors.gradient["\(target).B"], matrixProduct(matrix, update.right, transposingB: true),
        tolerance: 1e-4, target)
    }
    // A tape that has seen one scope serves the others too.
    let again = tape.lossAndGradient(of: merged, on: batch, scope: .all)
    expectClose(again.gradient.allNumbers, whole.gradient.allNumbers, tolerance: 1e-6)
  }

  @Test("only the blocks from the first update on are gone back through")
  func lateUpdates() {
    let last = Self.lora.targets.filter { $0.contains("layers.1.") }
    let late = Self.base.with(
      last.reduce(Self.base.parameters) { $0.updated($1, by: Self.lora.update(of: $1)) })
    let batch = TrainingBatch(TinyModels.rows([6, 4]))
    let factors = late.makeGradientTape().lossAndGradient(of: late, on: batch, scope: .updates)
    let whole = late.lossAndGradient(on: batch).gradient
    #expect(factors.gradient.layout.names.count == 2 * last.count)
    for target in last {
      expectClose(
        factors.gradient["\(target).A"],
        matrixProduct(Self.lora.update(of: target).left, whole[target], transposingA: true),
        tolerance: 1e-4, target)
    }
  }

  @Test("a LoRA is trained alike beside the weights and added to them")
  func training() {
    let options = TrainingOptions(learningRate: 0.01, steps: 4)
    let batches = (0..<4).map { TrainingBatch(TinyModels.rows([6, 4], seed: $0)) }
    func trained(keepsFactors: Bool) -> Parameters? {
      let trainer = Trainer(
        Self.base, .lora(Self.lora), options, keepingFactors: keepsFactors)
      for batch in batches { trainer.take([(batch, 1)]) }
      trainer.take([(batches[0], 0.5), (batches[1], 0.25)])
      return trainer.lora?.factors
    }
    let left = trained(keepsFactors: true), right = trained(keepsFactors: false)
    expectClose(left?.allNumbers ?? Tensor([]), right?.allNumbers ?? Tensor([1]), tolerance: 1e-4)
    #expect(left != Self.lora.factors)
  }

  @Test("generation from an adapted model is that of the merged one")
  func generation() {
    var left = TokenSampler(temperature: 0, seed: 1), right = left
    let prompts = TinyModels.rows([3, 2])
    #expect(
      adapted.continuations(of: prompts, count: 6, using: &left)
        == merged.continuations(of: prompts, count: 6, using: &right))
  }

  @Test("the decomposition from factors is that of the product")
  func decomposition() throws {
    for target in Self.lora.targets {
      let update = Self.lora.update(of: target)
      let thin = try update.decomposition()
      let full = try SingularValueDecomposition(update.product)
      #expect(thin.values.count == 3)
      expectClose(thin.values.scalars, full.values.scalars.prefix(3), tolerance: 1e-5, target)
      #expect(full.values.scalars.dropFirst(3).allSatisfy { $0 < 1e-4 * full.values[0] })
      let rebuilt = matrixProduct(
        thin.left, thin.right.scalingRows(by: thin.values.scalars))
      expectClose(rebuilt, update.product, tolerance: 1e-5, target)
      for index in 0..<3 {
        #expect(abs(abs(cosine(thin.leftVector(index), full.leftVector(index))) - 1) < 1e-3)
      }
    }
  }
}
