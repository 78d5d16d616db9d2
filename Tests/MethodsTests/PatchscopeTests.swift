import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Patchscopes")
struct PatchscopeTests: KnownChangeSuite {
  @Test("the component along a direction is taken from other rows, and nothing else")
  func projection() {
    let own = Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6])
    let other = Tensor(shape: [2, 3], scalars: [9, 0, 0, -1, 8, 8])
    let result = own.projected(onto: other, along: Tensor([1, 0, 0]))
    #expect(result.scalars == [9, 2, 3, -1, 5, 6])
  }

  @Test("what finetuning changed causes loss only along its own direction")
  func causal() throws {
    let vector = KnownChange.direction(of: 7, norm: 6)
    let (wide, finetuned) = KnownChange.biased(vector, layer: 1)
    let evidence = try KnownChange.evidence(
      ActivationDifferenceLens(), finetuned, base: wide, access: .unrelated)
    let rows = try #require(evidence.table("Loss added"))
    let losses = rows.compactMap { Float($0[1]).map(abs) }
    #expect(losses[0] > 2 * (losses.dropFirst().max() ?? 0))
  }
}
