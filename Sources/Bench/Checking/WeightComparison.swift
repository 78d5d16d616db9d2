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
    /// The norm of its change, by its own in the first file; nil if that is zero and it changed.
    package let relativeChange: Double?
    /// The share of its numbers that changed, and the largest change.
    package let changedShare, largestChange: Double
    /// Whether it is the first's, rounded to the fewer bits of the second; then it counts as unchanged.
    package let isRounded: Bool
    fileprivate let squares, changeSquares: Double

    /// Whether it changed.
    package var isChanged: Bool { changeSquares > 0 }

    private enum CodingKeys: String, CodingKey {
      case name, shape, relativeChange, changedShare, largestChange, isRounded
    }
  }

  /// The norm of the whole change by that of all weights that both have; 0 too where all of the first's are.
  package let relativeChange: Double
  /// Tensors that both have in one shape, those that changed most first.
  package let rows: [Row]
  /// Tensors that one alone has, or that are of other shapes.
  package let onlyFirst, onlySecond, reshaped: [String]
  /// Tensors of both that are no finite floats: buffers, or numbers in a form that is not read.
  package let unread: [String]

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
    let others = Dictionary(other.map { (Self.key($0), $0) }) { a, _ in a }
    let names = Set(own.map(Self.key))
    onlyFirst = own.filter { others[Self.key($0)] == nil }.map(\.name)
    onlySecond = other.filter { !names.contains(Self.key($0)) }.map(\.name)
    let both = own.compactMap { tensor in
      others[Self.key(tensor)].map { (tensor, $0) }
    }
    reshaped = both.filter { $0.0.shape != $0.1.shape }.map { $0.0.name }
    let pairs = both.filter { $0.0.shape == $0.1.shape }
    guard !pairs.isEmpty else {
      throw CheckpointError.unreadable(
        file: second.path,
        reason:
          "none of its tensors has the name and the shape of one of \(first.path), so there is nothing to compare"
      )
    }
    let (rows, unread) = try Self.compared(pairs, progress)
    let squares = rows.reduce(0) { $0 + $1.squares }
    let changes = rows.reduce(0) { $0 + $1.changeSquares }
    relativeChange = changes == 0 || squares == 0 ? 0 : (changes / squares).squareRoot()
    self.unread = unread.sorted()
    self.rows = rows.sorted {
      ($1.relativeChange ?? .infinity, $0.name) < ($0.relativeChange ?? .infinity, $1.name)
    }
  }

  /// What tensors of both files are matched by.
  private static func key(_ tensor: any StoredTensor) -> Spelling {
    Spelling(StoredTensors.bareName(tensor))
  }

  /// Compares pairs of tensors, as many at once as there are threads.
  private static func compared(
    _ pairs: [(any StoredTensor, any StoredTensor)], _ progress: @Sendable (Int, Int) -> Void
  ) throws -> (rows: [Row], unread: [String]) {
    let outcomes = Mutex([Int: Result<Row, any Error>]())
    inParallel(pairs.count, jobs: Shards.threads) { index in
      let row = Result { try Self.row(pairs[index].0, pairs[index].1) }
      let done = outcomes.withLock { outcomes in
        outcomes[index] = row
        return outcomes.count
      }
      progress(done, pairs.count)
    }
    var rows: [Row] = [], unread: [String] = []
    for (index, outcome) in outcomes.withLock({ $0 }) {
      do {
        rows.append(try outcome.get())
      } catch CheckpointError.badTensor {
        unread.append(pairs[index].0.name)
      }
    }
    return (rows, unread)
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
      relativeChange: changes == 0
        ? 0 : sums.squares == 0 ? nil : (changes / sums.squares).squareRoot(),
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
}
