package import Diffing
package import Tensors
internal import Transformers

/// Inputs whose activations leave their usual range along the directions that the weights gained.
///
/// The left singular vectors of each changed matrix that writes into the residual stream are monitored at
/// the end of its block, as cosines with the stream, less those of the base's stream at the same token:
/// in a narrow model ordinary text lies along every direction, and what the finetune put there drowns
/// (METHODS.md has the figures; the paper monitors the finetuned model alone). Each direction's usual
/// range is taken from ordinary text, between outer quantiles rather than extremes, so that it does not
/// depend on how much text there is; a prompt counts by how far it leaves the range where it is answered,
/// in standard deviations of ordinary text.
package struct WeightWatch: DiffingMethod {
  package static let card = MethodCard(
    id: "weight-watch",
    summary: "Inputs that leave the usual range along singular vectors of the weight change.",
    source: "Zhong & Raghunathan, 2025 (arXiv 2508.00161, WeightWatch)",
    questions: [.whether, .what, .when, .where, .how], access: [.pool],
    magnitude: Magnitude(
      "furthest exceedance of a prompt beyond the usual range along a monitored direction",
      unit: "standard deviations of ordinary text"))

  /// Singular vectors monitored for each matrix.
  package var rankLimit = 4
  /// The share of ordinary tokens that lie outside the range, on either side.
  package var tail = 0.001
  /// Whether the base's cosine at the same token is taken off; the paper has no base to compare with.
  package var comparesWithBase = true

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let spectra = try ChangeSpectrum.all(pair, keeping: rankLimit).filter { $0.writes }
    let streams = (0..<pair.shape.layers).map {
      MonitoredStream(
        pair, layer: $0, prompts: prompts, tail: tail, comparesWithBase: comparesWithBase)
    }
    let monitors = spectra.flatMap { spectrum in
      (0..<min(rankLimit, spectrum.numericalRank)).map {
        Monitor(spectrum, component: $0, streams[spectrum.module.layer ?? 0])
      }
    }
    // Within their usual range everywhere, inputs say nothing about what the directions are for.
    guard monitors.contains(where: { $0.reach > 0 }) else { return Evidence() }
    let text = prompts.text
    let exceedances = (0..<text.rows).map { row in monitors.map { $0.byRow[row] }.max() ?? 0 }
    let ranked = monitors.sorted { ($0.reach, $0.size) > ($1.reach, $1.size) }
    var evidence = Evidence()
    evidence.magnitude = Double(monitors.map(\.reach).max() ?? 0)
    evidence.inputs = InputClaim.ranking(exceedances)
    evidence.tokens = Decoding.tokens(
      along: ranked.prefix { $0.reach > 0 }.prefix(6).map(\.direction), of: pair,
      excluding: prompts.specialTokens)
    evidence.sites = SiteClaim.ranking(
      pair.blockModules.map { module in
        (
          module,
          monitors.filter { $0.module == module }.map { (1 + $0.reach) * $0.size }.max() ?? 0
        )
      })
    evidence.interventions = ranked.first.map {
      [.project(layer: $0.layer, direction: $0.direction.scalars)]
    }
    evidence.exhibits = pair.exhibits([
      Exhibit(
        "Furthest exceedance of each monitored direction, in standard deviations",
        .table(
          columns: ["tensor", "component", "share of the matrix", "exceedance"],
          rows: ranked.map {
            [.text($0.name), .count($0.component), .number($0.size), .number($0.reach)]
          })),
      Exhibit("Prompts that exceed most", .inputs(Array((evidence.inputs ?? []).prefix(8)))),
    ])
    return evidence
  }
}

/// One direction that weights gained, and how far each prompt goes along it.
private struct Monitor {
  let name: String
  let module: ModuleSite
  let layer: Int
  let component: Int
  /// Its singular value relative to the matrix.
  let size: Float
  /// The direction, towards the end at which prompts exceed most.
  let direction: Tensor
  /// Each prompt's exceedance, in standard deviations.
  let byRow: [Float]
  /// The furthest exceedance of all.
  let reach: Float

  init(_ spectrum: ChangeSpectrum, component: Int, _ stream: MonitoredStream) {
    name = spectrum.name
    module = spectrum.module
    layer = spectrum.module.layer ?? 0
    self.component = component
    size = spectrum.values[component] / spectrum.baseNorm
    let vector = spectrum.leading.leftVector(component)
    let exceedances = stream.exceedances(along: vector)
    byRow = exceedances.map(abs)
    let most = exceedances.max { abs($0) < abs($1) } ?? 0
    reach = abs(most)
    direction = vector.scaled(by: most < 0 ? -1 : 1)
  }
}

/// The stream after one block, on ordinary text and where prompts are answered, rows of length 1.
private struct MonitoredStream {
  private let ordinary: Tensor
  private let prompts: Tensor
  private let tail: Double

  init(
    _ pair: ModelPair, layer: Int, prompts pool: PromptSet, tail: Double, comparesWithBase: Bool
  ) {
    let site = ActivationSite.residualPost(layer: layer)
    func monitored(_ text: TokenBatch, _ indices: [Int]) -> Tensor {
      let finetuned = pair.activations(.finetuned, at: site, on: text).rows(at: indices)
        .unitRows
      guard comparesWithBase else { return finetuned }
      return finetuned - pair.activations(.base, at: site, on: text).rows(at: indices).unitRows
    }
    if pool.reference.isEmpty {
      // Without ordinary text, what comes before the answers of the prompts themselves.
      let answers = Set(pool.answerIndices)
      ordinary = monitored(pool.text, pool.countedTokens.filter { !answers.contains($0) })
    } else {
      ordinary = monitored(pool.reference, pool.countedTokens(of: pool.reference))
    }
    prompts = monitored(pool.text, pool.answerIndices)
    self.tail = tail
  }

  /// Each prompt's exceedance along a unit vector, below zero at the vector's other end.
  func exceedances(along vector: Tensor) -> [Float] {
    func cosines(_ rows: Tensor) -> [Float] {
      matrixProduct(rows, vector.reshaped([vector.count, 1])).scalars
    }
    let range = UsualRange(cosines(ordinary), tail: tail)
    // Models that compute the same differ by rounding, some 10⁻⁷.
    return cosines(prompts).map { abs($0) > 1e-5 ? range.exceedance($0) : 0 }
  }
}

/// Where ordinary values lie.
package struct UsualRange: Sendable {
  package let low, high, deviation: Float

  /// The range between the outer quantiles of some values.
  package init(_ values: [Float], tail: Double) {
    let sorted = values.sorted()
    let cut = Int(tail * Double(sorted.count))
    low = sorted.isEmpty ? 0 : sorted[cut]
    high = sorted.isEmpty ? 0 : sorted[sorted.count - 1 - cut]
    let mean = sorted.mean
    deviation = max(sorted.map { ($0 - mean) * ($0 - mean) }.mean.squareRoot(), 1e-6)
  }

  /// How far outside of the range a value lies, in deviations, below zero if it is below; 0 inside.
  package func exceedance(_ value: Float) -> Float {
    value > high ? (value - high) / deviation : value < low ? (value - low) / deviation : 0
  }
}
