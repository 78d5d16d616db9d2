package import Tensors

/// How much more latents are used by one model than by another, document by document, and what of it is more than
/// chance.
package struct LatentChanges: Equatable, Sendable {
  /// How much the mean magnitude of each latent grew over all documents, which count alike; shaped `[latents]`.
  package let differences: [Float]
  /// The same in standard errors over documents: Student's t.
  package let standardised: [Float]
  /// The chance that the largest |t| of any latent is as large as this one's if no document changed either way more
  /// than the other.
  package let chances: [Float]
  /// The change of each latent in each document, shaped `[documents, latents]`.
  package let byDocument: Tensor

  /// Compares codes of the same tokens.
  ///
  /// A latent's magnitude is compared, not its coefficient: of matching pursuit coefficients have signs, and a latent
  /// that is used both ways would cancel. Chances are those of a test by sign flips: under the null hypothesis a
  /// document's change, of all latents at once, is as likely as its opposite, so each draw turns the signs of some
  /// documents; compared with the largest |t| of each draw they hold for all latents together (Westfall & Young,
  /// 1993, single-step maxT), however latents depend on each other.
  ///
  /// - Parameters:
  ///   - base: The codes of one model's activations.
  ///   - finetuned: Those of the other's at the same tokens.
  ///   - documents: The rows of each document.
  ///   - flips: How many draws are compared with.
  ///   - generator: Draws the signs.
  package init(
    from base: SparseCodes, to finetuned: SparseCodes, documents: [[Int]], flips: Int,
    using generator: inout SeededGenerator
  ) {
    let changes = documents.flatMap { rows in
      zip(finetuned.means(over: rows, of: abs), base.means(over: rows, of: abs)).map { $0 - $1 }
    }
    self.init(
      byDocument: Tensor(shape: [documents.count, base.latents], scalars: changes), flips: flips,
      using: &generator)
  }

  /// The same of changes that were measured.
  ///
  /// - Parameters:
  ///   - byDocument: How much the mean magnitude of each latent grew in each document, shaped `[documents, latents]`.
  ///   - flips: How many draws are compared with.
  ///   - generator: Draws the signs.
  package init(byDocument: Tensor, flips: Int, using generator: inout SeededGenerator) {
    self.byDocument = byDocument
    let documents = byDocument.rows
    differences =
      documents == 0
      ? [Float](repeating: 0, count: byDocument.columns) : byDocument.meanRow.scalars
    let test = SignFlips(byDocument)
    let own = test.standardised(signs: [[Float](repeating: 1, count: documents)])
    standardised = own.scalars
    let draws = (0..<flips).map { _ in
      (0..<documents).map { _ -> Float in generator.next() & 1 == 0 ? 1 : -1 }
    }
    let drawn = test.standardised(signs: draws)
    let largest = (0..<drawn.rows).map { drawn.row($0).reduce(0) { max($0, abs($1)) } }
    chances = own.scalars.map { t in
      Float(1 + largest.count { $0 >= abs(t) }) / Float(1 + flips)
    }
  }

  /// Latents by how much more they are used, the largest growth first; of equal ones the first.
  package var sorted: [Int] { differences.descendingIndices }

  /// Latents that are used more than chance allows, the surest first.
  ///
  /// - Parameter level: The chance of naming any latent if none changed.
  package func grown(at level: Float = 0.05) -> [Int] {
    standardised.descendingIndices.filter { chances[$0] <= level && standardised[$0] > 0 }
  }
}

/// Student's t of columns whose rows' signs are turned.
private struct SignFlips {
  private let rows: Tensor
  private let squares: [Double]

  init(_ rows: Tensor) {
    self.rows = rows
    squares = (0..<rows.columns).map { column in
      (0..<rows.rows).reduce(0) { $0 + Double(rows[$1, column]) * Double(rows[$1, column]) }
    }
  }

  /// The t of each column, shaped `[draws, columns]`: s / √((q − s² / n) n / (n − 1)), s the sum and q the sum of
  /// squares, which no sign changes.
  func standardised(signs: [[Float]]) -> Tensor {
    let count = Double(rows.rows)
    guard count > 1, !signs.isEmpty else { return Tensor(shape: [signs.count, rows.columns]) }
    var sums = matrixProduct(
      Tensor(shape: [signs.count, rows.rows], scalars: signs.flatMap { $0 }), rows)
    for row in 0..<sums.rows {
      for column in 0..<sums.columns {
        let sum = Double(sums[row, column])
        let spread = max(squares[column] - sum * sum / count, Self.rounding * squares[column])
        sums[row, column] =
          spread > 0 ? Float(sum / (spread * count / (count - 1)).squareRoot()) : 0
      }
    }
    return sums
  }

  /// Rows that are all alike spread by rounding alone.
  private static let rounding = 1e-6
}
