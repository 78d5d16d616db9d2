package import Tensors

/// In which of two models a latent of a crosscoder lives.
package enum CrosscoderSide: String, Codable, CaseIterable, Sendable {
  case base = "base-only"
  case shared
  case finetuned = "finetuned-only"
}

/// What tells the latents of a crosscoder of a base and a finetuned model apart, the base first.
///
/// The lean of a latent is ½ (1 + (‖dᶠ‖ − ‖dᵇ‖) / max(‖dᶠ‖, ‖dᵇ‖)) (Lindsey et al., 2024): 0 if it is the base's alone, 1 if
/// it is the finetuned model's alone. It is no proof: a latent may shrink in one model although its direction is needed
/// there. So each latent's direction is fitted again to both models, in closed form, β = d · Σ f y / (‖d‖² Σ f²), y what
/// all other latents leave over, or what they reconstruct (Minder et al., 2025, arXiv 2504.02922, latent scaling). A
/// small ratio of the base's β to the finetuned model's says that the direction is missing there.
package struct CrosscoderSides: Equatable, Sendable {
  /// From 0, base alone, to 1, finetuned model alone; ½ of a latent without a direction.
  package let leans: [Float]
  /// β of the base over β of the finetuned model, of what is left over and of what is reconstructed; nil of a latent that is
  /// active too rarely, or of no use in the model whose direction is fitted.
  package let errorRatios, reconstructionRatios: [Float?]
  /// How many rows each latent is active in.
  package let activeRows: [Int]

  /// Active rows from which ratios say something.
  package static let fewestRows = 50

  /// Measures the latents on activations.
  ///
  /// - Parameters:
  ///   - dictionary: A crosscoder of two models.
  ///   - activations: Of base and finetuned model side by side, shaped `[rows, 2 · width]`.
  ///   - codes: The dictionary's of these; computed if nil.
  /// - Precondition: The dictionary is of two models.
  package init(
    _ dictionary: BatchTopKDictionary, on activations: Tensor, codes: SparseCodes? = nil
  ) {
    precondition(dictionary.models == 2, "Sides are those of two models")
    let directions = [0, 1].map(dictionary.directions), norms = directions.map(\.rowNorms)
    leans = zip(norms[0], norms[1]).map { base, finetuned in
      let longest = max(base, finetuned)
      return longest > 0 ? 0.5 * (1 + (finetuned - base) / longest) : 0.5
    }
    let sums = LatentSums(
      dictionary, activations, codes ?? dictionary.codes(of: activations))
    activeRows = sums.rows
    func ratios(_ products: [Tensor]) -> [Float?] {
      (0..<dictionary.latents).map { latent in
        guard sums.rows[latent] >= Self.fewestRows else { return nil }
        let probe = directions[1].row(latent)
        let betas = products.map { dot(probe, $0.row(latent)) }
        return betas[1] > 0 ? betas[0] / betas[1] : nil
      }
    }
    // What the latent itself writes is part of what the others leave over.
    errorRatios = ratios(
      [0, 1].map { model in
        sums.errors[model] + directions[model].scalingRows(by: sums.squares)
      })
    reconstructionRatios = ratios(sums.reconstructions)
  }

  /// The side that a latent's lean speaks for, by the published bins.
  package func side(_ latent: Int) -> CrosscoderSide {
    switch leans[latent] {
    case ..<0.1: .base
    case 0.9...: .finetuned
    default: .shared
    }
  }

  /// Whether a latent's direction is missing in the base, by the published bounds of both ratios.
  package func isMissingInBase(_ latent: Int) -> Bool {
    guard let error = errorRatios[latent], let reconstruction = reconstructionRatios[latent] else {
      return false
    }
    return abs(error) < 0.2 && abs(reconstruction) < 0.5
  }
}

/// Of each latent, sums over the rows in which it is active.
private struct LatentSums {
  let rows: [Int]
  /// Σ f².
  let squares: [Float]
  /// Σ f (x − x̂) and Σ f x̂ of each model, normalised, shaped `[latents, width]`.
  let errors, reconstructions: [Tensor]

  init(_ dictionary: BatchTopKDictionary, _ activations: Tensor, _ codes: SparseCodes) {
    let width = dictionary.width
    let decoded = codes.decoded(dictionary.decoder).addingToRows(dictionary.decoderBias)
    let rest = dictionary.normalizer.normalized(activations) - decoded
    var rows = [Int](repeating: 0, count: dictionary.latents)
    var squares = [Float](repeating: 0, count: dictionary.latents)
    let sums = [rest, decoded].map { ($0, Matrix(rows: dictionary.latents, columns: 2 * width)) }
    for (source, sum) in sums {
      let source = Matrix(source)
      for (row, entries) in codes.rows.enumerated() {
        for entry in entries {
          addScaled(
            source.rows(row..<row + 1), by: entry.value,
            to: sum.rows(entry.latent..<entry.latent + 1))
        }
      }
    }
    for entry in codes.rows.joined() {
      rows[entry.latent] += 1
      squares[entry.latent] += entry.value * entry.value
    }
    (self.rows, self.squares) = (rows, squares)
    func sides(_ matrix: Matrix) -> [Tensor] {
      [0, 1].map { matrix.columns($0 * width..<($0 + 1) * width).tensor }
    }
    (errors, reconstructions) = (sides(sums[0].1), sides(sums[1].1))
  }
}
