import Diffing
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Methods

/// Pairs that compute the same but for rounding: nothing is there to be named.
@Suite("Rounding names nothing")
struct RoundingTests: KnownChangeSuite {
  /// The base with one weight moved by a unit in its last place.
  private var nudged: DecoderModel {
    var model = base
    var matrix = model.parameters[module]
    matrix[3, 4] = matrix[3, 4].nextUp
    model.parameters[module] = matrix
    return model
  }

  @Test(
    "one weight that moved by a unit in its last place has no words, prompts or edit",
    arguments: MethodContractTests.cases.indices)
  func lastPlace(index: Int) throws {
    let entry = MethodContractTests.cases[index]
    let evidence = try KnownChange.evidence(
      Methods.named(entry.id), nudged, access: entry.access)
    #expect(
      evidence.tokens == nil && evidence.inputs == nil && evidence.interventions == nil,
      "\(entry.id) from \(entry.access)")
    // The norm is exact, however small: it is the change itself that is measured.
    #expect((evidence.magnitude ?? 0) < 1e-8, "\(entry.id) from \(entry.access)")
  }

  /// What reads the directions of weight changes.
  private static let readers: [(any DiffingMethod, AccessLevel)] = [
    (WeightSpectrum(), .weights), (IntruderDimensions(), .weights), (WeightWatch(), .pool),
  ]

  /// The base stored in fewer bits.
  private func stored(_ round: (Float) -> Float) -> DecoderModel {
    var model = base
    for name in base.parameters.layout.names {
      model.parameters[name] = base.parameters[name].map(round)
    }
    return model
  }

  @Test("a copy in 16 bits has no directions, and what moves further has")
  func copies() throws {
    let copies = [
      stored { Float(bitPattern: ($0.bitPattern &+ 0x8000) & 0xffff_0000) },
      stored { Float(Float16($0)) }, stored { Float(Float16($0 * 0x1p-14)) * 0x1p14 },
    ]
    for (method, access) in Self.readers {
      let found = try copies.map { try KnownChange.evidence(method, $0, access: access) }
      #expect(found[0].isEmpty && found[1].isEmpty, "\(method.card.id)")
      // Numbers of few bits, as in a format of 8: that is no rounding that a checkpoint goes through.
      #expect(!found[2].isEmpty, "\(method.card.id)")
    }
  }

  @Test("samples that differ by more flips than rounding explains are other samples")
  func pairedSamples() {
    // The least k with P(X ≥ k) ≤ 10⁻³ for a Poisson X whose mean is one in 6,144 draws: means ¼, 1 and 2.
    #expect([1536, 6144, 12288].map(PairedSamples.leastChanged) == [4, 6, 9])
    let samples = (0..<192).map { row in (0..<32).map { row + $0 } }
    for (changed, differs) in [(0, false), (1, false), (5, false), (6, true), (192, true)] {
      let other = samples.enumerated().map { $0.offset < changed ? [9, 9] : $0.element }
      #expect(PairedSamples.differ(other, samples) == differs, "\(changed)")
    }
  }

  /// The base with noise so small that few draws differ, those of some samples at least.
  private func flipped(_ requests: [SampleRequest]) throws -> DecoderModel {
    for exponent in -16 ... -4 {
      var generator = SeededGenerator(seed: 5)
      var model = base
      let matrix = base.parameters[module]
      let noise = generator.direction(
        matrix.count, norm: Float(sign: .plus, exponent: exponent, significand: 1))
      model.parameters[module] = matrix + noise.reshaped(matrix.shape)
      let pairs = requests.flatMap { zip($0.record(model), $0.record(base)) }
      if pairs.contains(where: { $0 != $1 }) { return model }
    }
    throw DiffingError.badEvidence("no draw differs")
  }

  @Test("a few draws that flip have no words")
  func flips() throws {
    var generator = SeededGenerator(seed: 1)
    let pool = MethodContractTests.prompts(.pool), battery = PromptBattery()
    let asked = (0..<pool.text.rows).flatMap { row in
      Array(repeating: Array(pool.text.row(row)), count: battery.answers)
    }
    let answers = SampleRequest(
      continuing: asked, length: battery.length, seed: generator.next())
    let answered = try KnownChange.evidence(battery, flipped([answers]), access: .pool)
    #expect(answered.isEmpty)

    let amplification = WeightAmplification()
    generator = SeededGenerator(seed: 1)
    let free = amplification.factors.map { _ in
      SampleRequest(
        start: 1, count: amplification.samples, length: amplification.length,
        seed: generator.next())
    }
    let amplified = try KnownChange.evidence(amplification, flipped(free), access: .sampling)
    #expect(amplified.isEmpty)
  }

  @Test("a mutant that draws the base's samples with other random numbers calls it changed")
  func unpaired() {
    func samples(_ model: any LanguageModel, seed: UInt64) -> [[Int]] {
      SampleRequest(start: 1, count: 96, length: 32, seed: seed)
        .record(model)
    }
    #expect(!PairedSamples.differ(samples(nudged, seed: 3), samples(base, seed: 3)))
    #expect(PairedSamples.differ(samples(nudged, seed: 3), samples(base, seed: 4)))
  }

  @Test("what scores 0 or less is not claimed, and of nothing there is no ranking")
  func nothing() {
    #expect(
      InputClaim.ranking([0, -1, 2, 0.5]) == [.init(row: 2, score: 2), .init(row: 3, score: 0.5)])
    #expect(InputClaim.ranking([0, -1]) == nil)
    #expect(SiteClaim.ranking([(.embedding, 0), (.finalNorm, -1)]) == nil)
    // A module that nothing was found in is ranked behind the others all the same.
    #expect(SiteClaim.ranking([(.embedding, 0), (.finalNorm, 1)])?.count == 2)
    #expect(SiteClaim.rankingGrowth([0, 0], from: 0) == nil)
    // A millionth of the best is rounding beside it, whatever its sign.
    let sites = SiteClaim.ranking([(.embedding, -1e-8), (.unembedding, 1e-8), (.finalNorm, 1)])
    #expect(sites?.map(\.score) == [1, 0, 0])
  }
}
