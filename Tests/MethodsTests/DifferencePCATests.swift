import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Components of differences")
struct DifferencePCATests: KnownChangeSuite {
  @Test("components: a varying direction is the first, a constant one is the mean and no component")
  func components() throws {
    let (finetuned, direction) = varying(layer: 1)
    let evidence = try KnownChange.evidence(DifferencePCA(), finetuned, access: .unrelated)
    let proposed = try #require(evidence.proposedDirection)
    #expect(abs(cosine(proposed, direction)) > 0.999)
    let (wide, shifted) = KnownChange.biased(KnownChange.direction(of: 7, norm: 3), layer: 2)
    let constant = try KnownChange.evidence(
      DifferencePCA(), shifted, base: wide, access: .unrelated)
    #expect((constant.magnitude ?? 0) < 1e-4)
    var mutant = DifferencePCA()
    mutant.isCentred = false
    let uncentred = try KnownChange.evidence(mutant, shifted, base: wide, access: .unrelated)
    #expect((uncentred.magnitude ?? 0) > 0.1)
  }

  @Test("prompts are ranked by how far they moved, not by how far from the mean")
  func inputs() throws {
    let (finetuned, _) = varying(layer: 1)
    let found = try KnownChange.evidence(DifferencePCA(), finetuned, access: .pool)
    let direction = try #require(found.proposedDirection).unit
    let pair = try ModelPair(base: base, finetuned: finetuned)
    let text = MethodContractTests.prompts(.pool).text
    let difference = pair.difference(at: .residualPost(layer: 1), on: text)
      .rows(at: text.lastIndices)
    let moved = matrixProduct(difference, direction.reshaped([12, 1])).scalars.map(abs)
    for claim in try #require(found.inputs) {
      #expect(abs(claim.score - moved[claim.row]) < 1e-3 * (moved.max() ?? 0))
    }
  }
}
