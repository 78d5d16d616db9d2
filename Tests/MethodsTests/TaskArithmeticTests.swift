import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Task arithmetic")
struct TaskArithmeticTests: KnownChangeSuite {
  @Test("one changed module brings the whole change, alone and left out")
  func arithmetic() throws {
    let (left, right) = try rankThree()
    let finetuned = KnownChange.adding(left, right, to: module)
    for access in [AccessLevel.unrelated, .pool] {
      let evidence = try KnownChange.evidence(TaskArithmetic(), finetuned, access: access)
      let parts = try #require(evidence.table("Share of the change"))
      #expect(parts.map { $0[0] } == ["blocks.1.mlp"])
      #expect(
        abs((Float(parts[0][1]) ?? 0) - 1) < 1e-4 && abs((Float(parts[0][2]) ?? 0) - 1) < 1e-4)
      let curve = try #require(evidence.curves("Along the weight change")?.first)
      #expect(abs(curve[1]) < 1e-5 && abs(curve[3] - 1) < 1e-5)
      #expect(evidence.sites?.first?.site == .mlp(layer: 1))
    }
  }
}
