internal import Foundation
internal import Synchronization
internal import Tensors

/// Cosines and sines of the rotary embedding, shaped `[positions, pairs]`.
///
/// Kept from pass to pass, because a generated token would otherwise cost more in `cos` and `sin`
/// than in matrix products.
struct RotaryAngles: Sendable {
  let cosines, sines: Matrix

  private struct Key: Hashable, Sendable {
    let pairs: Int
    let rotary: RotaryPositions
  }

  /// Memory for angles, filled by whoever asks for it.
  init(cosines: Matrix, sines: Matrix) {
    self.cosines = cosines
    self.sines = sines
  }

  private static let tables = Mutex<[Key: RotaryAngles]>([:])

  /// A table of at least so many positions.
  static func table(positions: Int, pairs: Int, _ rotary: RotaryPositions) -> RotaryAngles {
    tables.withLock { tables in
      let key = Key(pairs: pairs, rotary: rotary)
      if let table = tables[key], table.cosines.rows >= positions { return table }
      // Doubled, so that a row that grows token by token does not compute a table for each.
      let table = RotaryAngles(positions: max(64, 2 * positions), pairs: pairs, rotary)
      tables[key] = table
      return table
    }
  }

  /// The angle of a pair at position `p` is `p` times its frequency.
  private init(positions: Int, pairs: Int, _ rotary: RotaryPositions) {
    let frequencies = rotary.scaling.frequencies(pairs: pairs, theta: rotary.theta)
    let factor = rotary.scaling.attentionFactor
    cosines = Matrix(rows: positions, columns: pairs)
    sines = Matrix(rows: positions, columns: pairs)
    for position in 0..<positions {
      let angles = frequencies.map { Double(position) * $0 }
      cosines.rows(position..<position + 1).copy(angles.map { Float(factor * cos($0)) })
      sines.rows(position..<position + 1).copy(angles.map { Float(factor * sin($0)) })
    }
  }
}
