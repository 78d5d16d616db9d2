package import Tensors
internal import Transformers

/// The singular vectors of weight changes, read as tokens and proposed as the change itself.
///
/// Left vectors of matrices that write into the residual stream are directions there. A singular
/// vector's sign is arbitrary, so both signs are read.
package struct WeightSpectrum: DiffingMethod {
  package static let card = MethodCard(
    id: "weight-spectrum",
    summary: "Singular vectors of each weight change, both signs read through the unembedding.",
    source: "Roy & Vetterli, 2007 (effective rank); Ramanathan et al., 2026 (rank truncation)",
    questions: [.whether, .what, .where, .how], access: [.weights])

  /// Left vectors read from each matrix.
  package var components = 2
  /// Singular vectors kept in the proposed weight change.
  package var proposedRank = 1

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let spectra = changedMatrices(pair)
    guard !spectra.isEmpty else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = spectra.map { Double($0.values[0]) / Double($0.baseNorm) }.max()
    evidence.sites = sites(spectra, pair)
    evidence.tokens = tokens(spectra, pair, excluding: prompts.specialTokens)
    evidence.interventions = [.weights(spectra.map { truncated($0) })]
    evidence.exhibits = [exhibit(spectra)]
    return evidence
  }

  private struct Spectrum {
    let name: String
    let module: ModuleSite
    let writes: Bool
    let baseNorm: Float
    let decomposition: SingularValueDecomposition
    var values: [Float] { decomposition.values.scalars }
    /// exp of the entropy of the singular values' shares.
    var effectiveRank: Double {
      Diffing.effectiveRank(values)
    }
  }

  private func changedMatrices(_ pair: ModelPair) -> [Spectrum] {
    let names = pair.base.names
    return names.blocks.enumerated().flatMap { layer, block in
      block.compactMap { name in
        let change = pair.change(of: name)
        guard change.shape.count == 2, change.norm > 0 else { return nil }
        return Spectrum(
          name: name, module: names.module(of: name), writes: names.writers[layer].contains(name),
          baseNorm: max(pair.base.parameters[name].norm, .leastNormalMagnitude),
          decomposition: SingularValueDecomposition(change))
      }
    }
  }

  private func sites(_ spectra: [Spectrum], _ pair: ModelPair) -> [SiteClaim] {
    let modules = (0..<pair.shape.layers).flatMap { layer -> [ModuleSite] in
      [.attention(layer: layer), .mlp(layer: layer)]
    }
    return SiteClaim.ranking(
      modules.map { module in
        (
          module,
          spectra.filter { $0.module == module }.map { $0.values[0] / $0.baseNorm }.max() ?? 0
        )
      })
  }

  private func tokens(
    _ spectra: [Spectrum], _ pair: ModelPair, excluding excluded: Set<Int>
  ) -> [TokenClaim]? {
    let lens = LogitLens(pair.finetuned)
    let vectors = spectra.filter(\.writes).flatMap { spectrum in
      (0..<min(components, spectrum.values.count)).map {
        (value: spectrum.values[$0], vector: spectrum.decomposition.leftVector($0))
      }
    }.sorted { $0.value > $1.value }
    guard !vectors.isEmpty else { return nil }
    let scores = lens.scores(
      along: Tensor(
        shape: [vectors.count, pair.shape.width], scalars: vectors.flatMap(\.vector.scalars)))
    let rankings = (0..<vectors.count).flatMap { index -> [[TokenClaim]] in
      let row = Array(scores.row(index))
      // Which end is the promoted one cannot be known from weights: each is claimed as both.
      return [row, row.map(-)].map { TokenClaim.ranking($0, excluding: excluded) }
    }
    return TokenClaim.roundRobin(rankings)
  }

  private func truncated(_ spectrum: Spectrum) -> ProposedIntervention.WeightChange {
    let decomposition = spectrum.decomposition
    let rank = min(proposedRank, spectrum.values.count)
    let left = decomposition.left, right = decomposition.right
    var change = Tensor(shape: [left.rows, right.columns])
    for index in 0..<rank {
      let column = decomposition.leftVector(index).scaled(by: spectrum.values[index])
      change =
        change
        + matrixProduct(
          column.reshaped([left.rows, 1]),
          decomposition.rightVector(index).reshaped([1, right.columns]))
    }
    return .init(name: spectrum.name, change: change.scalars)
  }

  private func exhibit(_ spectra: [Spectrum]) -> Exhibit {
    Exhibit(
      title: "Spectrum of each change", columns: ["tensor", "largest", "effective rank"],
      rows: spectra.map { [$0.name, "\($0.values[0])", "\($0.effectiveRank)"] })
  }
}

/// exp(−Σ p ln p) with p the singular values' shares of their sum (Roy & Vetterli, 2007).
///
/// Shares of the values, not of their squares; 1 for a rank-one matrix, n for the identity of n,
/// whatever the scale, and 0 for a zero matrix.
package func effectiveRank(_ values: [Float]) -> Double {
  let sum = values.reduce(0.0) { $0 + Double($1) }
  guard sum > 0 else { return 0 }
  let entropy = values.map { Double($0) / sum }.filter { $0 > 0 }
    .reduce(0.0) { $0 - $1 * logarithm($1) }
  return Double(exponential(Float(entropy)))
}
