import Dictionaries
import TestSupport
import Testing

/// Expects two codes to have the same latents, and values that agree up to rounding: where OpenBLAS multiplies, a row's
/// last bit depends on how many there are.
func expectAlike(
  _ actual: [SparseCodes.Entry], _ expected: [SparseCodes.Entry],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.map(\.latent) == expected.map(\.latent), sourceLocation: sourceLocation)
  expectClose(
    actual.map(\.value), expected.map(\.value), tolerance: 1e-5, sourceLocation: sourceLocation)
}
