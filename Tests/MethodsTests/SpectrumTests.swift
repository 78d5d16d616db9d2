import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Figures of singular values")
struct SpectrumTests: KnownChangeSuite {
  @Test("stable rank and energy: one for rank one, n for the identity, whatever the scale")
  func ranks() {
    #expect(Spectrum.stableRank([5, 0, 0]) == 1)
    #expect(abs(Spectrum.stableRank([2, 2, 2, 2]) - 4) < 1e-6)
    #expect(Spectrum.stableRank([0, 0]) == 0)
    #expect(abs(Spectrum.energy([2, 1, 1], first: 1) - 4.0 / 6) < 1e-6)
    #expect(Spectrum.energy([0, 0], first: 1) == 0)
  }

  @Test("effective rank: 1 for rank one, n for the identity, whatever the scale")
  func effectiveRanks() {
    #expect(abs(Spectrum.effectiveRank([5, 0, 0]) - 1) < 1e-6)
    #expect(abs(Spectrum.effectiveRank([2, 2, 2, 2]) - 4) < 1e-5)
    #expect(abs(Spectrum.effectiveRank([6, 3, 3]) - Spectrum.effectiveRank([60, 30, 30])) < 1e-6)
    #expect(Spectrum.effectiveRank([0, 0]) == 0)
  }
}
