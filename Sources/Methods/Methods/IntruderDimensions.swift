package import Diffing
package import Tensors
internal import Transformers

/// Leading singular vectors of the finetuned weights that the base's weights do not have.
///
/// Shuttleworth et al. (Algorithm 1) call a left singular vector an intruder if its cosine with every
/// left singular vector of the base stays below a threshold. Their 0.5 is for widths of thousands: at
/// width 64 the largest of 64 cosines of a random direction is 0.33 by itself, and benign finetuning
/// keeps nearly all of the first ten above 0.9. So the threshold is set on benign pairs, and what is
/// ranked is the share of energy that is new, which needs none.
package struct IntruderDimensions: DiffingMethod {
  package static let card = MethodCard(
    id: "intruder-dimensions",
    summary: "Leading singular vectors of the finetuned weights that the base's do not have.",
    source: "Shuttleworth et al., 2024 (arXiv 2410.21228, Algorithm 1)",
    questions: [.whether, .what, .where, .how], access: [.weights],
    magnitude: Magnitude(
      "mean over changed matrices of Σσᵢ²(1 − cᵢ²) / Σσᵢ² over the leading vectors, cᵢ the largest cosine with the base's",
      unit: "share of energy"))

  /// Leading singular vectors that are looked at.
  package var window = 10
  /// The largest cosine with the base's vectors that an intruder may have.
  package var threshold: Float = 0.8

  /// Shares of energy below this are rounding of singular vectors in single precision.
  private static let rounding: Float = 1e-5

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let changed = pair.tensorsWithDirections
    let matrices = pair.base.names.blockNames.filter {
      pair.base.parameters.layout[$0].shape.count == 2 && changed.contains($0)
    }
    guard !matrices.isEmpty else { return Evidence() }
    let spectra = try matrices.map { try IntruderSpectrum($0, of: pair, window: window) }
    // Directions that only got longer, shorter or lost are no intruders, and rounding turns them by little.
    guard spectra.contains(where: { $0.newEnergy > Self.rounding }) else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = spectra.map { Double($0.newEnergy) }.mean
    evidence.sites = SiteClaim.ranking(
      pair.blockModules.map { module in
        (module, spectra.filter { $0.module == module }.map(\.newEnergy).max() ?? 0)
      })
    let written = spectra.filter(\.writes).flatMap { spectrum in
      spectrum.leading.filter { $0.newEnergy > Self.rounding * spectrum.energy }
        .map { (energy: $0.newEnergy, vector: $0.left) }
    }.sorted { $0.energy > $1.energy }.prefix(6)
    evidence.tokens = Decoding.tokens(
      along: written.map(\.vector), of: pair, isSigned: false, excluding: prompts.specialTokens)
    evidence.interventions = intervention(spectra, pair)
    evidence.exhibits = pair.exhibits([exhibit(spectra)])
    return evidence
  }

  /// What of the change lies along intruders: added to the base, or taken out of the finetuned model.
  private func intervention(_ spectra: [IntruderSpectrum], _ pair: ModelPair)
    -> [ProposedIntervention]?
  {
    let changes = spectra.compactMap { spectrum -> TensorEdit? in
      let intruders = spectrum.leading.filter { $0.largestCosine < threshold }
      guard !intruders.isEmpty else { return nil }
      return TensorEdit(name: spectrum.name, change: spectrum.part(of: pair, along: intruders))
    }
    return changes.isEmpty ? nil : [.weights(changes)]
  }

  private func exhibit(_ spectra: [IntruderSpectrum]) -> Exhibit {
    Exhibit(
      "Intruders below a cosine of \(threshold) among the first \(window)",
      .table(
        columns: ["tensor", "intruders", "share of energy", "smallest cosine"],
        rows: spectra.map { spectrum in
          let count = spectrum.leading.filter { $0.largestCosine < threshold }.count
          return [
            .text(spectrum.name), .count(count), .number(spectrum.newEnergy),
            .number(spectrum.leading.map(\.largestCosine).min() ?? 1),
          ]
        }))
  }
}

/// The leading singular vectors of one finetuned matrix beside all of the base's.
struct IntruderSpectrum {
  struct Direction {
    let value: Float
    /// The largest |cosine| with a left singular vector of the base.
    let largestCosine: Float
    /// What of the direction's energy the base's nearest vector does not explain.
    let newEnergy: Float
    let left, right: Tensor
  }

  let name: String
  let module: ModuleSite
  let writes: Bool
  let leading: [Direction]

  init(_ name: String, of pair: ModelPair, window: Int) throws {
    let names = pair.base.names
    self.name = name
    module = names.module(of: name)
    writes = names.writers.contains(name)
    let base = try pair.basis(.base, of: name)
    let finetuned = try pair.spectrum(.finetuned, of: name, keeping: window)
    // All of the base's vectors, not its first: an old direction that only moved up is no intruder.
    let cosines = base.products(
      ofLeftVectorsWith: finetuned.leading.left, matrix: pair.base.parameters.matrix(name))
    // What a matrix does not span, its vectors say nothing of.
    let values = finetuned.leading.values.scalars
    let scale = max(base.values[0], finetuned.values[0])
    let spanned = values.prefix { $0 > Decoding.rounding * scale }
    leading = spanned.indices.map { index in
      let largest = (0..<cosines.rows).map { abs(cosines[$0, index]) }.max() ?? 0
      let value = values[index]
      return Direction(
        value: value, largestCosine: largest,
        newEnergy: value * value * max(0, 1 - largest * largest),
        left: finetuned.leading.leftVector(index), right: finetuned.leading.rightVector(index))
    }
  }

  /// The leading directions' energy.
  var energy: Float { leading.reduce(0) { $0 + $1.value * $1.value } }

  /// The share of it that is new.
  var newEnergy: Float {
    let total = energy
    return total > 0 ? leading.reduce(0) { $0 + $1.newEnergy } / total : 0
  }

  /// The part of the matrix's change along some directions, U Uᵀ ΔW.
  func part(of pair: ModelPair, along directions: [Direction]) -> TensorEdit.Change {
    let width = directions[0].left.count
    let left = Tensor(
      shape: [directions.count, width], scalars: directions.flatMap(\.left.scalars))
    return .lowRank(left: left.transposed, right: matrixProduct(left, pair.change(of: name)))
  }
}
