import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Contrastive decoding")
struct ContrastiveDecoderTests: KnownChangeSuite {
  @Test("amplified scores follow the formula, and masked tokens are out of reach")
  func amplification() throws {
    let pair = try ModelPair(base: base, finetuned: MethodContractTests.finetuned)
    let p = Tensor(shape: [1, 3], scalars: [0.6, 0.35, 0.05].map { Float(logarithm($0)) })
    let q = Tensor(shape: [1, 3], scalars: [0.7, 0.29, 0.01].map { Float(logarithm($0)) })
    func scores(_ amplification: Float, _ mask: ContrastiveDecoder.Mask) -> [Float] {
      ContrastiveDecoder(pair: pair, amplification: amplification, mask: mask).scores(q, p).scalars
    }
    expectClose(scores(0, .none), p.scalars, tolerance: 1e-6)
    expectClose(
      scores(2, .none), zip(p.scalars, q.scalars).map { $0 + 2 * ($0 - $1) }, tolerance: 1e-6)
    // Without a mask the least likely token wins; it is what neither model would say.
    #expect(scores(8, .none)[...].indexOfLargest == 2)
    #expect(scores(8, .plausible(0.1))[...].indexOfLargest == 1)
    #expect(scores(8, .plausible(0.1))[2] < -1e6)
    #expect(scores(8, .first(1))[...].indexOfLargest == 0)
  }

  @Test("gaps of drawn text are what the two models give it")
  func gaps() throws {
    let pair = try ModelPair(base: base, finetuned: MethodContractTests.finetuned)
    let decoder = ContrastiveDecoder(pair: pair, amplification: 1, mask: .none)
    let result = decoder.continuations(of: [[1, 5], [1]], count: 4, seed: 3)
    for (start, index) in zip([[1, 5], [1]], 0...) {
      let text = TokenBatch([start + result.texts[index]])
      let places = (0..<4).map { start.count - 1 + $0 }
      let gap = zip(places, result.texts[index]).map { place, token in
        pair.logProbabilities(.finetuned, on: text, at: [place])[0, token]
          - pair.logProbabilities(.base, on: text, at: [place])[0, token]
      }
      expectClose(result.gaps[index], gap, tolerance: 1e-4)
    }
  }
}
