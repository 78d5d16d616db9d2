package import Tensors
internal import Transformers

/// Inputs whose activations leave their usual range along the directions that the weights gained.
///
/// The left singular vectors of each changed matrix that writes into the residual stream are monitored at
/// the end of its block, as cosines with the finetuned model's stream at every token. Each direction's
/// usual range is taken from ordinary text, between outer quantiles rather than extremes, so that it does
/// not depend on how much text there is; a prompt counts by how far it leaves the range, in standard
/// deviations of ordinary text.
package struct WeightWatch: DiffingMethod {
  package static let card = MethodCard(
    id: "weight-watch",
    summary: "Inputs that leave the usual range along singular vectors of the weight change.",
    source: "Zhong & Raghunathan, 2025 (arXiv 2508.00161, WeightWatch)",
    questions: [.whether, .what, .when, .where, .how], access: [.pool])

  /// Singular vectors monitored for each matrix.
  package var rankLimit = 4
  /// The share of ordinary tokens that lie outside the range, on either side.
  package var tail = 0.001

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let spectra = ChangeSpectrum.all(pair).filter { $0.writes }
    let streams = (0..<pair.shape.layers).map {
      MonitoredStream(pair, layer: $0, prompts: prompts, tail: tail)
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
      along: ranked.prefix(6).map(\.direction), of: pair, excluding: prompts.specialTokens)
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
          rows: ranked.map { [$0.name, "\($0.component)", "\($0.size)", "\($0.reach)"] })),
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
  /// Each prompt's furthest exceedance, in standard deviations.
  let byRow: [Float]
  /// The furthest exceedance of all.
  let reach: Float

  init(_ spectrum: ChangeSpectrum, component: Int, _ stream: MonitoredStream) {
    name = spectrum.name
    module = spectrum.module
    layer = spectrum.module.layer ?? 0
    self.component = component
    size = spectrum.values[component] / spectrum.baseNorm
    let vector = spectrum.decomposition.leftVector(component)
    let furthest = stream.furthest(along: vector)
    byRow = furthest.map(abs)
    let most = furthest.max { abs($0) < abs($1) } ?? 0
    reach = abs(most)
    direction = vector.scaled(by: most < 0 ? -1 : 1)
  }
}

/// The finetuned model's stream after one block, on ordinary text and on the prompts, rows of length 1.
private struct MonitoredStream {
  private let ordinary: Tensor
  private let prompts: Tensor
  /// Which prompt each row belongs to.
  private let owners: [Int]
  private let count: Int
  private let tail: Double

  init(_ pair: ModelPair, layer: Int, prompts pool: PromptPool, tail: Double) {
    func unit(_ text: TokenBatch) -> Tensor {
      let stream = pair.pass(.finetuned, on: text)[.residualPost(layer: layer)]
        .rows(at: pool.countedTokens(of: text))
      return stream.scalingRows(by: stream.rowNorms.map { $0 > 0 ? 1 / $0 : 0 })
    }
    ordinary = unit(pool.reference.isEmpty ? pool.text : pool.reference)
    prompts = unit(pool.text)
    let rows = (0..<pool.text.rows).flatMap { row in pool.text.range(row).map { _ in row } }
    owners = pool.countedTokens.map { rows[$0] }
    count = pool.text.rows
    self.tail = tail
  }

  /// Each prompt's furthest exceedance along a unit vector, below zero at the vector's other end.
  func furthest(along vector: Tensor) -> [Float] {
    func cosines(_ rows: Tensor) -> [Float] {
      matrixProduct(rows, vector.reshaped([vector.count, 1])).scalars
    }
    let range = UsualRange(cosines(ordinary), tail: tail)
    var furthest = [Float](repeating: 0, count: count)
    for (owner, cosine) in zip(owners, cosines(prompts)) {
      let exceedance = range.exceedance(cosine)
      if abs(exceedance) > abs(furthest[owner]) { furthest[owner] = exceedance }
    }
    return furthest
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
