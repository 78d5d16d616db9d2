internal import JSON
internal import Synchronization

/// The tokens of pieces that have been seen: most words of a text come again.
final class PieceCache: Sendable {
  /// Pieces beyond this length seldom come again, and there are at most so many.
  private static let lengthLimit = 64, countLimit = 1 << 16
  private let known = Mutex<[Spelling: [Int]]>([:])

  /// The tokens of a piece, if it has been seen.
  subscript(piece: Spelling) -> [Int]? {
    get { known.withLock { $0[piece] } }
    set {
      guard let newValue, piece.text.utf8.count <= Self.lengthLimit else { return }
      known.withLock { known in
        if known.count < Self.countLimit { known[piece] = newValue }
      }
    }
  }
}
