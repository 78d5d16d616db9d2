package import Diffing
package import Tensors
internal import Transformers

/// A direction that finetuning left in the residual stream on every input, whatever the input is.
///
/// Each text gives one difference, the mean over its first tokens. If finetuning left a trace, they point
/// the same way: their mean is longer than with signs flipped at random, which is the null, and only then
/// it is read. Reading tokens by how steadily the lens promotes them over the texts, in standard errors,
/// recovers less than half of what the plain lens does: small shifts of frequent words are the steadiest.
package struct ReadableTrace: DiffingMethod {
  package static let card = MethodCard(
    id: "readable-trace",
    summary: "A difference that persists over unrelated inputs, against a permutation null.",
    source: "Minder et al., 2025 (arXiv 2510.13900)",
    questions: [.whether, .what, .when, .where, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "length of the mean difference beyond that under random signs, relative to ‖h‖, mean over readable blocks",
      unit: "share of the stream's norm"))

  /// Positions of each text that its difference is the mean of, counted from 0 at its first token.
  package var positions = 1...16
  /// Draws of random signs.
  package var permutations = 64
  /// The largest share of draws that may reach the observed length.
  package var level = 0.05

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let groups = prompts.countedTokens(at: positions).filter { !$0.isEmpty }
    let signs = (0..<permutations).map { _ in
      groups.map { _ in generator.next() & 1 == 0 ? Float(1) : -1 }
    }
    func trace(at site: ActivationSite, _ layer: Int) -> Trace {
      Trace(pair, site, layer: layer, text: prompts.text, groups: groups, signs: signs)
    }
    let traces = (0..<pair.shape.layers).map { trace(at: .residualPost(layer: $0), $0) }
    let read = Decoding.readable(traces.map { $0.mean.norm / $0.activationNorm }).map { traces[$0] }
    guard !read.isEmpty else { return Evidence() }
    var evidence = Evidence()
    // Not the standard deviations: they grow with the number of texts, not with the trace.
    evidence.magnitude = Double(read.map(\.excess).mean)
    evidence.exhibits = pair.exhibits(exhibits(traces))
    let persistent = read.filter { $0.pValue <= level }
    // Without a trace there is nothing to read: the lens of noise is a confident list.
    guard let first = persistent.first else { return evidence }
    evidence.tokens = Decoding.tokens(
      along: persistent.map(\.mean), of: pair, excluding: prompts.specialTokens)
    evidence.sites = SiteClaim.rankingGrowth(
      traces.map(\.excess), from: pair.embedsAlike ? 0 : trace(at: .embedding, 0).excess)
    if prompts.access == .pool {
      evidence.inputs = Decoding.inputs(
        along: first.mean, of: pair, layer: first.layer, text: prompts.text)
    }
    evidence.interventions = Decoding.steering(
      layer: first.layer, first.mean, activationNorm: first.activationNorm
    ).map { [$0] }
    return evidence
  }

  private func exhibits(_ traces: [Trace]) -> [Exhibit] {
    [
      Exhibit.overBlocks(
        "The trace after each block",
        [
          .init("length relative to the stream", traces.map { $0.mean.norm / $0.activationNorm }),
          .init("standard deviations above random signs", traces.map(\.z)),
          .init("cosine of two halves of the texts", traces.map(\.splitHalf)),
        ])
    ]
  }
}

/// The differences after one block, one a text.
private struct Trace {
  let layer: Int
  /// The mean over texts.
  let mean: Tensor
  let activationNorm: Float
  /// How far the mean's length is above that with random signs, in standard deviations.
  let z: Float
  /// The share of draws of random signs that give as long a mean.
  let pValue: Double
  /// The cosine between the means of every other text and of the rest.
  let splitHalf: Float
  /// The length above what random signs give, relative to the stream.
  let excess: Float

  init(
    _ pair: ModelPair, _ site: ActivationSite, layer: Int, text: TokenBatch, groups: [[Int]],
    signs: [[Float]]
  ) {
    self.layer = layer
    let rows = pair.difference(at: site, on: text).means(of: groups)
    mean = rows.meanRow
    activationNorm = max(
      pair.activationNorm(at: site, on: text, groups.flatMap { $0 }), .leastNormalMagnitude)
    let flips = Tensor(shape: [signs.count, groups.count], scalars: signs.flatMap { $0 })
    let null = matrixProduct(flips, rows).rowNorms.map { $0 / Float(groups.count) }
    let centre = null.mean
    let deviation = null.map { ($0 - centre) * ($0 - centre) }.mean.squareRoot()
    let length = mean.norm
    z = (length - centre) / max(deviation, .leastNormalMagnitude)
    pValue = Double(null.filter { $0 >= length }.count + 1) / Double(null.count + 1)
    excess = max(0, length - centre) / activationNorm
    func half(_ remainder: Int) -> Tensor {
      rows.rows(at: (0..<rows.rows).filter { $0 % 2 == remainder }).meanRow
    }
    splitHalf = cosine(half(0), half(1))
  }
}
