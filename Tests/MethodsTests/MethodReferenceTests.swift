import Methods
import Diffing
import Foundation
import JSON
import TestSupport
import Tensors
import Testing
import Transformers

/// Methods against values that NumPy and PyTorch computed from the same two model folders.
///
/// `Fixtures/make_method_references.py` is an implementation of its own, in double precision.
@Suite("Methods against NumPy and PyTorch")
struct MethodReferenceTests {
  struct Reference: Decodable {
    struct Weights: Decodable {
      let frobenius, spectral, nuclear, effectiveRank, stableRank, besideDecay: Float
    }
    struct Intruders: Decodable {
      let cosines: [Float]
      let share: Float
    }
    struct Difference: Decodable {
      let norm, relativeNorm, cosine, consistency: Float
    }
    struct Components: Decodable {
      let shares: [Float]
      let largestDeviation: Float
    }
    struct Lens: Decodable {
      let jensenShannon, finetunedFromBase, baseFromFinetuned, entropyChange: Float
      let promoted: [Float]
    }
    struct Output: Decodable {
      let finetunedFromBase, baseFromFinetuned, flips: Float
    }
    struct Boosts: Decodable {
      let countedTokens, depth: Int
      let largest, smallest: [Int]
    }
    struct Attention: Decodable {
      let queries: Int
      let plain, valueWeighted: [[Float]]
    }
    struct Stitch: Decodable {
      let point: String
      let finetunedIntoBase, baseIntoFinetuned: Float
    }
    struct Patch: Decodable {
      let module: String
      let patched, swapped: Float
    }
    let text: [[Int]]
    let weights: [String: Weights]
    let intruders: [String: Intruders]
    let activationDifferences: [Difference]
    let components: [Components]
    let logitLens: [Lens]
    let meanDifferenceLens: [String: [Float]]
    let outputDivergence: Output
    let boosts: Boosts
    let attention: Attention
    let stitching: [Stitch]
    let patching: [Patch]
    let madeWith: [String: JSONText]
  }

  /// A string or a number that no test looks at.
  struct JSONText: Decodable {
    init(from decoder: any Decoder) throws { _ = try decoder.singleValueContainer() }
  }

  let reference: Reference
  let pair: ModelPair

  init() throws {
    reference = try JSON.decode(
      Reference.self, contentsOf: Fixtures.url("methods/reference.json"))
    pair = try ModelPair(
      base: HuggingFaceFolder.read(Fixtures.url("methods/base")).model,
      finetuned: HuggingFaceFolder.read(Fixtures.url("methods/finetuned")).model)
  }

  private func evidence(_ method: any DiffingMethod, _ access: AccessLevel) throws -> Evidence {
    var generator = SeededGenerator(seed: 1)
    let text = access == .weights ? TokenBatch([]) : TokenBatch(reference.text)
    return try method.evidence(
      for: pair,
      on: PromptSet(access: access, text: text, documentStart: 1, specialTokens: []),
      using: &generator)
  }

  private func numbers(_ row: [String]) -> [Float] { row.dropFirst().compactMap { Float($0) } }

  @Test("norms, ranks and relative changes of every matrix")
  func weights() throws {
    let norm = try evidence(WeightNorm(), .weights),
      spectrum = try evidence(WeightSpectrum(), .weights)
    let norms = Dictionary(
      uniqueKeysWithValues: try #require(norm.table("Norms")).map { ($0[0], numbers($0)) })
    let ranks = Dictionary(
      uniqueKeysWithValues: try #require(spectrum.table("Rank")).map { ($0[0], numbers($0)) })
    for (name, expected) in reference.weights {
      let own = try #require(norms[name]), rank = try #require(ranks[name])
      expectClose(
        Array(own.prefix(3)), [expected.frobenius, expected.spectral, expected.nuclear],
        tolerance: 1e-5, name)
      expectClose(
        Array(rank.prefix(3)), [expected.spectral, expected.effectiveRank, expected.stableRank],
        tolerance: 1e-4, name)
    }
    let map = try #require(norm.heatMap("Relative change, block by tensor")).flatMap { $0 }
    for expected in reference.weights.values {
      #expect(map.contains { abs($0 - expected.besideDecay) < 1e-5 })
    }
  }

  @Test("how new each matrix's leading directions are")
  func intruders() throws {
    let table = try #require(try evidence(IntruderDimensions(), .weights).table("Intruders"))
    #expect(table.count == reference.intruders.count)
    for row in table {
      let expected = try #require(reference.intruders[row[0]])
      let count = expected.cosines.filter { $0 < IntruderDimensions().threshold }.count
      expectClose(
        numbers(row), [Float(count), expected.share, expected.cosines.min() ?? 0], tolerance: 1e-4,
        row[0])
    }
  }

  @Test("norms, cosines and consistency of the difference after each block")
  func differences() throws {
    let curves = try #require(
      try evidence(ActivationDifference(), .unrelated).curves("The difference after"))
    let expected = reference.activationDifferences
    expectClose(curves[0], expected.map(\.norm), tolerance: 1e-5)
    expectClose(curves[1], expected.map(\.relativeNorm), tolerance: 1e-5)
    expectClose(curves[2], expected.map(\.cosine), tolerance: 1e-5)
    expectClose(curves[3], expected.map(\.consistency), tolerance: 1e-5)
  }

  @Test("each component's share of the variance")
  func components() throws {
    let evidence = try evidence(DifferencePCA(), .unrelated)
    guard case .spectrum(let lines)? = evidence.exhibits.first?.content else {
      Issue.record("no spectrum is shown")
      return
    }
    for (line, expected) in zip(lines, reference.components) {
      expectClose(line.values, expected.shares.prefix(10), tolerance: 1e-4)
    }
  }

  @Test("the lenses' divergences after each block, and what each promotes")
  func lenses() throws {
    let evidence = try evidence(LogitLensDifference(), .unrelated)
    let curves = try #require(evidence.curves("The lenses"))
    let expected = reference.logitLens
    expectClose(curves[0], expected.map(\.jensenShannon), tolerance: 1e-4)
    expectClose(curves[1], expected.map(\.finetunedFromBase), tolerance: 1e-4)
    expectClose(curves[2], expected.map(\.baseFromFinetuned), tolerance: 1e-4)
    expectClose(curves[3], expected.map(\.entropyChange), tolerance: 1e-4)
    let promoted = evidence.tokens?.first { $0.sign == 1 }
    #expect(promoted?.token == expected[1].promoted[...].indexOfLargest)
  }

  @Test("tokens along the mean difference")
  func meanDifference() throws {
    let evidence = try evidence(ActivationDifferenceLens(), .unrelated)
    guard case .tokens(let lists)? = evidence.exhibits.first?.content else {
      Issue.record("no tokens are shown")
      return
    }
    for (index, block) in ["block1", "block2"].enumerated() {
      let scores = try #require(reference.meanDifferenceLens[block])
      let order = scores.indices.filter { scores[$0] > 0 }.sorted { scores[$0] > scores[$1] }
      #expect(lists[2 * index].tokens == Array(order.prefix(10)))
    }
  }

  @Test("divergences of the answers")
  func outputs() throws {
    let rows = try #require(try evidence(OutputDivergence(), .unrelated).table("Divergence of"))
    let expected = reference.outputDivergence
    expectClose(
      [rows[0], rows[1], rows[5]].map { Float($0[1]) ?? 0 },
      [expected.finetunedFromBase, expected.baseFromFinetuned, expected.flips], tolerance: 1e-4)
  }

  @Test("how often each token is among the most boosted and the most lowered")
  func boosts() {
    let text = TokenBatch(reference.text)
    let counted = text.tokens.indices.filter { text.tokens[$0] != 1 }
    #expect(counted.count == reference.boosts.countedTokens)
    let change =
      pair.logits(.finetuned, on: text, at: Array(0..<text.count))
      - pair.logits(.base, on: text, at: Array(0..<text.count))
    let counts = BoostCounts(change.rows(at: counted), depth: reference.boosts.depth)
    #expect(counts.first == reference.boosts.largest)
    #expect(counts.last == reference.boosts.smallest)
  }

  @Test("attention of every head, plain and weighted by values")
  func attention() throws {
    let evidence = try evidence(AttentionDifference(), .unrelated)
    let weighted = try #require(evidence.heatMap("Divergence of attention, weighted"))
    let plain = try #require(evidence.heatMap("Divergence of attention, plain"))
    expectClose(
      weighted.flatMap { $0 }, reference.attention.valueWeighted.flatMap { $0 }, tolerance: 1e-4)
    expectClose(plain.flatMap { $0 }, reference.attention.plain.flatMap { $0 }, tolerance: 1e-4)
  }

  @Test("stitched models, point by point and both ways")
  func stitching() throws {
    let curves = try #require(
      try evidence(ModelStitching(), .unrelated).curves("Share of the change in the answers"))
    expectClose(curves[0], reference.stitching.map(\.finetunedIntoBase), tolerance: 1e-4)
    expectClose(curves[1], reference.stitching.map(\.baseIntoFinetuned), tolerance: 1e-4)
  }

  @Test("patched outputs and swapped weights of every module")
  func patching() throws {
    let map = try #require(
      try evidence(ActivationPatching(), .pool).heatMap("Share of the change that each module"))
    expectClose(map.map { $0[0] }, reference.patching.map(\.patched), tolerance: 1e-4)
    expectClose(map.map { $0[2] }, reference.patching.map(\.swapped), tolerance: 1e-4)
  }
}
