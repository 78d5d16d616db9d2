import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Weight spectra")
struct WeightSpectrumTests: KnownChangeSuite {
  @Test("a rank-three update is measured, located and decomposed")
  func rankThreeUpdate() throws {
    let (left, right) = try rankThree()
    let finetuned = KnownChange.adding(left, right, to: module)
    let norm = try KnownChange.evidence(WeightNorm(), finetuned, access: .weights)
    let row = try #require(norm.table("Norms")?.first?.dropFirst().compactMap { Float($0) })
    expectClose(Array(row.prefix(3)), [Float(14).squareRoot(), 3, 6], tolerance: 1e-4)
    #expect(norm.exhibits.first?.title == "Bits: one tensor changed: \(module)")
    let spectrum = try KnownChange.evidence(WeightSpectrum(), finetuned, access: .weights)
    let ranks = try #require(
      spectrum.table("Rank and energy")?.first?.dropFirst().compactMap { Float($0) })
    let effective = Spectrum.effectiveRank([3, 2, 1])
    expectClose(
      ranks, [3, Float(effective), 14.0 / 9, 2, 9.0 / 14, 1, 1, 1], tolerance: 1e-4)
    for method in [WeightNorm(), WeightSpectrum(), IntruderDimensions()] as [any DiffingMethod] {
      let evidence = try KnownChange.evidence(method, finetuned, access: .weights)
      #expect(evidence.sites?.first?.site == .mlp(layer: 1), "\(method.card.id)")
    }
  }
}
