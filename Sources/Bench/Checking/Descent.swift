internal import Foundation
internal import Tensors
package import Transformers

/// Whether a model was made of another: a permutation test of its neurons (after Zhu and others, 2025).
///
/// Training from elsewhere gives neurons in no order, so any order of the other model's is as likely as its own: a
/// mean cosine of neurons with the same number that no random order reaches speaks for descent.
package struct Descent: Sendable, Equatable {
  /// The mean cosine of two neurons with the same number.
  package let cosine: Double
  /// How often an order of the base's neurons does as well, its own counted.
  package let p: Double
  /// The share of neurons that are nearest, by what they read and by what they write, to one and the same of another
  /// number: of strangers hardly one.
  package let moved: Double

  private static let orders = 199
  /// Of the base's neurons so many are looked at: a few hundred are enough, and all would cost their square.
  private static let limit = 512

  /// Compares what two models read the stream with in the MLP of a middle block; nil if they are of other widths.
  package init?(_ base: any LanguageModel, _ finetuned: any LanguageModel) {
    let layer = base.shape.layers / 2
    guard layer < finetuned.shape.layers,
      let name = base.names.tensor(.up, layer: layer),
      finetuned.parameters.layout.find(name)?.shape == base.parameters.layout[name].shape
    else { return nil }
    let rows = Array(0..<min(base.parameters[name].rows, Self.limit))
    let read = Self.cosines(base.parameters[name], finetuned.parameters[name], rows)
    func mean(_ order: [Int]) -> Double {
      order.enumerated().reduce(0) { $0 + Double(read[$1.offset, $1.element]) }
        / Double(max(rows.count, 1))
    }
    let own = mean(rows)
    var generator = SeededGenerator(seed: 1, for: "descent")
    let reached = (0..<Self.orders).count { _ in mean(generator.permutation(rows.count)) >= own }
    cosine = own
    p = Double(1 + reached) / Double(1 + Self.orders)
    let down = base.names.tensor(.down, layer: layer)
    let written = down.map {
      Self.cosines(base.parameters[$0].transposed, finetuned.parameters[$0].transposed, rows)
    }
    moved = written.map { Self.moved(read, $0) } ?? 0
  }

  /// The cosine of each of some rows with all of another matrix, shaped `[rows, second.rows]`.
  private static func cosines(_ first: Tensor, _ second: Tensor, _ rows: [Int]) -> Matrix {
    let result = Matrix(rows: rows.count, columns: second.rows)
    multiply(
      Matrix(first.rows(at: rows).unitRows), Matrix(second.unitRows), into: result,
      transposingB: true)
    return result
  }

  private static func moved(_ read: Matrix, _ written: Matrix) -> Double {
    func nearest(_ row: Int, _ cosines: Matrix) -> Int {
      (0..<cosines.columns).max { cosines[row, $0] < cosines[row, $1] } ?? 0
    }
    let count = (0..<read.rows).count { row in
      let place = nearest(row, read)
      return place != row && place == nearest(row, written)
    }
    return Double(count) / Double(max(read.rows, 1))
  }

  /// What it means.
  var finding: Finding {
    let figures = String(format: "mean cosine of neurons %.3f, p = %.3f", cosine, p)
    if p <= 0.01 { return Finding(.ok, "descent", "the second was made of the first (\(figures))") }
    if moved > 0.2 {
      return Finding(
        .note, "descent",
        "the second has the first's neurons in another order (\(figures)): weights cannot be compared number by number"
      )
    }
    return Finding(
      .fault, "descent",
      "nothing says that the second was made of the first (\(figures)): is it the right base?")
  }
}
