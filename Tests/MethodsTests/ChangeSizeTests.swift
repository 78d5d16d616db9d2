import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Sizes of changes")
struct ChangeSizeTests: KnownChangeSuite {
  @Test("rounding is told from training by the bits")
  func rounding() throws {
    var finetuned = base
    for name in base.parameters.layout.names {
      finetuned.parameters[name] = base.parameters[name].map { $0 * (1 + 0x1p-9) }
    }
    let norm = try KnownChange.evidence(WeightNorm(), finetuned, access: .weights)
    #expect(norm.exhibits.first?.title == "Bits: rounding only")
  }
}
