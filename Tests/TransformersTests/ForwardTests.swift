import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Forward passes")
struct ForwardTests {
  let model = TinyModels.llama()
  let rows = TinyModels.rows([6, 2, 9, 4, 1, 7])

  @Test("a row's logits do not depend on the rows beside it")
  func packing() {
    let together = model.forward(TokenBatch(rows)).logits
    let batch = TokenBatch(rows)
    for (index, row) in rows.enumerated() {
      let alone = model.forward(TokenBatch([row])).logits
      expectClose(together.rows(at: Array(batch.range(index))), alone, tolerance: 1e-6)
    }
  }

  @Test("padding is never read")
  func padding() {
    let padded = rows.map { $0 + Array(repeating: 3, count: 9 - $0.count) }
    let batch = TokenBatch(padded: padded, lengths: rows.map(\.count))
    #expect(batch == TokenBatch(rows))
  }

  @Test("later tokens change nothing before them")
  func causality() {
    let short = model.forward(TokenBatch([Array(rows[2].prefix(5))])).logits
    let long = model.forward(TokenBatch([rows[2]])).logits
    expectClose(long.rows(at: Array(0..<5)), short, tolerance: 1e-6)
  }

  @Test("generation with cached keys and values is the plain forward, token by token")
  func cache() {
    var sampler = TokenSampler(temperature: 0, seed: 1)
    let prompts = Array(rows.prefix(3))
    let continued = model.continuations(of: prompts, count: 5, using: &sampler)
    for (prompt, added) in zip(prompts, continued) {
      var row = prompt
      for token in added {
        let logits = model.forward(TokenBatch([row]), logits: .last).logits
        #expect(logits.row(0).indexOfLargest == token)
        row.append(token)
      }
    }
  }

  @Test("cached logits agree with plain ones, whatever the chunks")
  func chunks() {
    let decoder = model.makeDecoder(rows: 2, capacity: 12)
    _ = decoder.append([[1, 2, 3], [4]])
    let cached = decoder.append([[5], [6, 7, 8, 9]])
    let plain = model.forward(TokenBatch([[1, 2, 3, 5], [4, 6, 7, 8, 9]]), logits: .last).logits
    expectClose(cached, plain, tolerance: 1e-5)
  }

  @Test("sampling is reproducible and follows the probabilities")
  func sampling() {
    let logits = Tensor(shape: [1, 3], scalars: [0, 1, -.infinity])
    var sampler = TokenSampler(seed: 3), twin = TokenSampler(seed: 3)
    let draws = (0..<4000).map { _ in sampler.draw(logits)[0] }
    #expect(draws == (0..<4000).map { _ in twin.draw(logits)[0] })
    #expect(!draws.contains(2))
    #expect(abs(Double(draws.filter { $0 == 1 }.count) / 4000 - 0.731) < 0.03)
  }

  @Test("the mean loss is that of the gradient tape")
  func loss() {
    let tape = model.lossAndGradient(on: TrainingBatch(rows)).loss
    #expect(abs(model.meanLoss(rows) - tape) < 1e-5)
  }

  @Test("a model with MLP biases added is the same function")
  func widened() {
    let wider = model.addingMLPBiases()
    expectClose(
      wider.forward(TokenBatch(rows)).logits, model.forward(TokenBatch(rows)).logits,
      tolerance: 1e-6)
  }
}

extension Tensor {
  fileprivate func rows(at indices: [Int]) -> Tensor {
    Tensor(shape: [indices.count, columns], scalars: indices.flatMap { row($0) })
  }
}
