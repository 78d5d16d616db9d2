import Diffing
import Methods
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("What a dictionary of the base leaves over")
struct ITDAMethodTests: KnownChangeSuite {
  @Test("a constant bias that no atom has is read, steered and measured as what it is")
  func bias() throws {
    let vector = KnownChange.direction(of: 7, norm: 3)
    let (wide, finetuned) = KnownChange.biased(vector, layer: 2)
    var method = ITDA()
    method.share = 1
    let evidence = try KnownChange.evidence(method, finetuned, base: wide, access: .unrelated)
    #expect(try #require(evidence.magnitude) > 0.01)
    #expect(evidence.tokens?.first { $0.sign == 1 }?.token == 7)
    guard case .steer(let layer, let direction) = evidence.interventions?.first else {
      Issue.record("no steering")
      return
    }
    #expect(layer == wide.shape.layers - 1)
    #expect(cosine(Tensor(direction), vector) > 0.999)
  }
}
