package import Diffing
package import Tensors
internal import Transformers

/// The singular vectors of weight changes, read as tokens and proposed as the change itself.
///
/// Left vectors of matrices that write into the residual stream are directions there. A singular
/// vector's sign is arbitrary, so both signs are read. Right vectors of matrices that read the stream
/// say what is looked for; they are compared with the embedding, the norm's gain folded in.
package struct WeightSpectrum: DiffingMethod {
  package static let card = MethodCard(
    id: "weight-spectrum",
    summary: "Singular vectors of each weight change, both signs read through the unembedding.",
    source: "Roy & Vetterli, 2007 (effective rank); Ramanathan et al., 2026 (rank truncation)",
    questions: [.whether, .what, .where, .how], access: [.weights],
    magnitude: Magnitude(
      "largest σ₁(ΔW) / ‖W‖ of the changed matrices and biases of the stream",
      unit: "share of a matrix's norm"))

  /// Left vectors read from each matrix.
  package var components = 2
  /// Singular vectors kept in the proposed weight change.
  package var proposedRank = 1

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let spectra = try ChangeSpectrum.all(pair, keeping: max(1, components, proposedRank))
    guard !spectra.isEmpty else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = spectra.map { Double($0.relativeSize) }.max()
    evidence.sites = SiteClaim.ranking(
      ModuleSite.all(layers: pair.shape.layers).map { module in
        (module, spectra.filter { $0.module == module }.map(\.relativeSize).max() ?? 0)
      })
    evidence.tokens = tokens(spectra, pair, excluding: prompts.specialTokens)
    evidence.interventions = [
      .weights(spectra.map { $0.truncated(toRank: proposedRank) })
    ]
    evidence.exhibits = pair.exhibits([
      Exhibit(
        "Singular values of each change", .spectrum(spectra.map { .init($0.name, $0.values) })),
      table(spectra), readTokens(spectra, pair, excluding: prompts.specialTokens),
    ])
    return evidence
  }

  /// What left vectors name, the largest singular value first, each read both ways.
  ///
  /// Those of matrices that write into the stream are read through the lens; those of embeddings are
  /// rankings of tokens already.
  private func tokens(_ spectra: [ChangeSpectrum], _ pair: ModelPair, excluding excluded: Set<Int>)
    -> [TokenClaim]?
  {
    let vectors = spectra.filter { $0.role != .reader }.flatMap { spectrum in
      (0..<min(components, spectrum.numericalRank)).map {
        (
          value: spectrum.values[$0], role: spectrum.role,
          vector: spectrum.leading.leftVector($0)
        )
      }
    }.sorted { $0.value > $1.value }
    guard !vectors.isEmpty else { return nil }
    return TokenClaim.roundRobin(
      vectors.flatMap { entry -> [[TokenClaim]] in
        entry.role == .tokens
          ? [entry.vector.scalars, entry.vector.scalars.map(-)].map {
            TokenClaim.ranking($0, excluding: excluded)
          }
          : [entry.vector, entry.vector.scaled(by: -1)].map {
            Decoding.tokens(along: [$0], of: pair, excluding: excluded) ?? []
          }
      })
  }
}

extension WeightSpectrum {
  private func table(_ spectra: [ChangeSpectrum]) -> Exhibit {
    Exhibit(
      "Rank and energy of each change",
      .table(
        columns: ["tensor", "largest", "effective", "stable", "k90", "E1", "E5", "E10", "E20"],
        rows: spectra.map { spectrum in
          [
            .text(spectrum.name), .number(spectrum.values[0]),
            .number(Float(Spectrum.effectiveRank(spectrum.values))),
            .number(Float(Spectrum.stableRank(spectrum.values))),
            .count(spectrum.componentsHolding(0.9)),
          ] + [1, 5, 10, 20].map { .number(Float(Spectrum.energy(spectrum.values, first: $0))) }
        }))
  }

  /// The tokens whose embeddings lie along what changed matrices read.
  private func readTokens(_ spectra: [ChangeSpectrum], _ pair: ModelPair, excluding: Set<Int>)
    -> Exhibit
  {
    let readers = spectra.compactMap { spectrum in
      spectrum.inputGain(pair).map {
        (name: spectrum.name, direction: (spectrum.leading.rightVector(0) * $0).unit)
      }
    }
    let norms = pair.finetuned.parameters.rowNorms(of: pair.finetuned.names.embedding)
    let lists = readers.map { reader in
      let products = pair.finetuned.parameters.readout(
        Matrix(reader.direction), through: pair.finetuned.names.embedding)
      let cosines = zip(products.scalars, norms).map { abs($0) / max($1, .leastNormalMagnitude) }
      return Exhibit.TokenList(
        reader.name, Decoding.top(TokenClaim.ranking(cosines, excluding: excluding), 8))
    }
    return Exhibit("Tokens that each change reads, by its first right vector", .tokens(lists))
  }
}
