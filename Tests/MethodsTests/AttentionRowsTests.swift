import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Attention")
struct AttentionRowsTests: KnownChangeSuite {
  @Test("attention divergence is bounded, symmetric and zero for equal patterns")
  func attentionDivergence() {
    let p: [Float] = [0.5, 0.5, 0], q: [Float] = [0, 0.2, 0.8]
    #expect(jensenShannon(probabilities: p, p) == 0)
    #expect(abs(jensenShannon(probabilities: p, q) - jensenShannon(probabilities: q, p)) < 1e-9)
    #expect(abs(jensenShannon(probabilities: [1, 0], [0, 1]) - 0.6931471805) < 1e-6)
  }
}
