package import Foundation
internal import JSON
internal import Synchronization
internal import Tensors
internal import Transformers

/// Two sets of weights compared tensor by tensor as they are stored: no architecture is needed, and of each file only
/// pieces are in memory.
package struct WeightComparison: Sendable, Encodable {
  /// What became of one tensor.
  package struct Row: Sendable, Encodable {
    package let name: String
    package let shape: [Int]
    /// The norm of its change, by its own in the first file; infinite if that is zero.
    package let relativeChange: Double
    /// The share of its numbers that changed, and the largest change.
    package let changedShare, largestChange: Double
    /// Whether it is the first's, rounded to the fewer bits of the second; then it counts as unchanged.
    package let isRounded: Bool
    fileprivate let squares, changeSquares: Double

    private enum CodingKeys: String, CodingKey {
      case name, shape, relativeChange, changedShare, largestChange, isRounded
    }
  }

  /// Tensors that both have in one shape, those that changed most first.
  package let rows: [Row]
  /// Tensors that one alone has, or that are of other shapes.
  package let onlyFirst, onlySecond, reshaped: [String]

  /// Compares two folders, or GGUF files.
  ///
  /// - Parameters:
  ///   - first: The base's.
  ///   - second: What was made of it.
  ///   - progress: Told how many of how many tensors are done.
  /// - Throws: `CheckpointError` or `JSONError`.
  package init(
    _ first: URL, _ second: URL, progress: @Sendable (Int, Int) -> Void = { _, _ in }
  ) throws {
    let (own, other) = (try StoredTensors.all(first), try StoredTensors.all(second))
    let others = Dictionary(other.map { (Spelling($0.name), $0) }) { a, _ in a }
    let names = Set(own.map { Spelling($0.name) })
    onlyFirst = own.map(\.name).filter { others[Spelling($0)] == nil }
    onlySecond = other.map(\.name).filter { !names.contains(Spelling($0)) }
    let both = own.compactMap { tensor in others[Spelling(tensor.name)].map { (tensor, $0) } }
    reshaped = both.filter { $0.0.shape != $0.1.shape }.map { $0.0.name }
    let pairs = both.filter { $0.0.shape == $0.1.shape }
    rows = try Self.compared(pairs, progress).sorted {
      ($1.relativeChange, $0.name) < ($0.relativeChange, $1.name)
    }
  }

  /// Compares pairs of tensors, as many at once as there are threads.
  private static func compared(
    _ pairs: [(any StoredTensor, any StoredTensor)], _ progress: @Sendable (Int, Int) -> Void
  ) throws -> [Row] {
    let state = Mutex((next: 0, rows: [Row](), fault: (any Error)?.none))
    Shards.forEach { _ in
      while true {
        let index = state.withLock { state -> Int? in
          guard state.fault == nil, state.next < pairs.count else { return nil }
          defer { state.next += 1 }
          return state.next
        }
        guard let index else { return }
        do {
          let row = try Self.row(pairs[index].0, pairs[index].1)
          let done = state.withLock { state in
            state.rows.append(row)
            return state.rows.count
          }
          progress(done, pairs.count)
        } catch {
          state.withLock { $0.fault = $0.fault ?? error }
        }
      }
    }
    return try state.withLock { state in
      if let fault = state.fault { throw fault }
      return state.rows
    }
  }

  private static func row(_ first: any StoredTensor, _ second: any StoredTensor) throws -> Row {
    var sums = Sums()
    let narrow = RoundingResidue.narrowing(from: first.type, to: second.type)
    for start in first.pieceStarts {
      sums.add(try first.piece(at: start), try second.piece(at: start), narrow)
    }
    let isRounded = narrow != nil && sums.isRounded && sums.changed > 0
    let changes = isRounded ? 0 : sums.changes
    return Row(
      name: first.name, shape: first.shape,
      relativeChange: changes == 0 ? 0 : (changes / sums.squares).squareRoot(),
      changedShare: isRounded ? 0 : Double(sums.changed) / Double(max(first.count, 1)),
      largestChange: isRounded ? 0 : Double(sums.largest), isRounded: isRounded,
      squares: sums.squares, changeSquares: changes)
  }

  /// What is summed over the pieces of two tensors.
  private struct Sums {
    var squares = 0.0, changes = 0.0, changed = 0, largest: Float = 0, isRounded = true

    mutating func add(_ own: [Float], _ other: [Float], _ narrow: ((Float) -> Float)?) {
      for (a, b) in zip(own, other) {
        let change = b - a
        squares += Double(a) * Double(a)
        changes += Double(change) * Double(change)
        changed += change == 0 ? 0 : 1
        largest = max(largest, abs(change))
      }
      if let narrow, isRounded { isRounded = zip(own, other).allSatisfy { narrow($0) == $1 } }
    }
  }

  /// The norm of the whole change by that of all weights that both have.
  package var relativeChange: Double {
    let squares = rows.reduce(0) { $0 + $1.squares },
      changes = rows.reduce(0) { $0 + $1.changeSquares }
    return changes == 0 ? 0 : (changes / squares).squareRoot()
  }

  private enum CodingKeys: String, CodingKey {
    case relativeChange, rows, onlyFirst, onlySecond, reshaped
  }

  /// Writes it as JSON shows it.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(relativeChange, forKey: .relativeChange)
    try container.encode(rows, forKey: .rows)
    try container.encode(onlyFirst, forKey: .onlyFirst)
    try container.encode(onlySecond, forKey: .onlySecond)
    try container.encode(reshaped, forKey: .reshaped)
  }
}
