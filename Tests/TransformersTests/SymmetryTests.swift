import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Weights that compute alike")
struct SymmetryTests {
  let text = TokenBatch(TinyModels.rows([9, 4, 1, 7]))

  @Test(
    "a reparameterised model gives the same logits, although its weights are others",
    arguments: [false, true])
  func reparameterised(biases: Bool) {
    let model = TinyModels.llama(layers: 3, biases: biases)
    var generator = SeededGenerator(seed: 4)
    let other = model.reparameterised(using: &generator)
    expectClose(other.forward(text).logits, model.forward(text).logits, tolerance: 1e-5)
    for name in model.parameters.layout.names
    where !name.contains("embed") && !name.hasSuffix("bias") {
      #expect(other.parameters[name] != model.parameters[name], "\(name) is untouched")
    }
  }

  @Test("other seeds give other weights, the same seed the same")
  func seeds() {
    let model = TinyModels.llama()
    func weights(_ seed: UInt64) -> Parameters {
      var generator = SeededGenerator(seed: seed)
      return model.reparameterised(using: &generator).parameters
    }
    #expect(weights(1) == weights(1))
    #expect(weights(1) != weights(2))
  }

  @Test("quantisation moves no entry by more than half a step, and a second time not at all")
  func quantised() {
    let parameters = TinyModels.llama().parameters
    let once = parameters.quantised()
    for entry in parameters.layout.entries {
      let old = parameters[entry.name], new = once[entry.name]
      guard entry.shape.count == 2 else {
        #expect(old == new)
        continue
      }
      for row in 0..<old.rows {
        let step = (old.row(row).map(abs).max() ?? 0) / 127
        #expect(zip(old.row(row), new.row(row)).allSatisfy { abs($0 - $1) <= step * 0.5001 })
      }
      expectClose(once.quantised()[entry.name], new, tolerance: 1e-6)
    }
    #expect(once != parameters)
  }

  @Test("a sampler that may choose among some tokens never says another")
  func choices() {
    let model = TinyModels.llama()
    var sampler = TokenSampler(choices: [3, 8], seed: 1)
    let said = model.continuations(of: [[1], [2, 5]], count: 12, using: &sampler)
    #expect(Set(said.joined()) == [3, 8])
  }
}
