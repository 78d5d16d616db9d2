/// The names and shapes of a model's tensors, in declaration order, and where each one lies.
public struct ParameterLayout: Sendable, Equatable {
  /// One named tensor.
  public struct Entry: Sendable, Equatable {
    /// The name, as the checkpoint spells it.
    public let name: String
    /// One axis for a vector, rows and columns for a matrix.
    public let shape: [Int]
    /// Which piece of memory it lies in.
    let piece: Int
    /// Where it starts in that piece.
    let offset: Int
    /// How many numbers it has.
    public var count: Int { shape.reduce(1, *) }
    /// Rows; 1 of a vector.
    public var rows: Int { shape.count == 1 ? 1 : shape[0] }
    /// Columns; the length of a vector.
    public var columns: Int { shape.count == 1 ? shape[0] : shape[1] }
    /// The shape as a matrix: a vector is a column.
    public var matrixShape: [Int] { shape.count == 1 ? [shape[0], 1] : shape }
  }

  /// The tensors.
  public let entries: [Entry]
  /// How many numbers each piece of memory has.
  let pieces: [Int]
  /// How many numbers all tensors have.
  public let count: Int
  private let indices: [String: Int]

  /// Lays tensors out one behind the other, in one piece of memory.
  public init(_ tensors: [(name: String, shape: [Int])]) { self.init(pieces: [tensors]) }

  /// Lays tensors out in pieces, each of which is copied, read and let go as a whole.
  ///
  /// - Parameter tensors: Those of each piece.
  package init(pieces tensors: [[(name: String, shape: [Int])]]) {
    var entries: [Entry] = [], pieces: [Int] = []
    for (piece, tensors) in tensors.enumerated() {
      var offset = 0
      for tensor in tensors {
        entries.append(
          Entry(name: tensor.name, shape: tensor.shape, piece: piece, offset: offset))
        offset += tensor.shape.reduce(1, *)
      }
      pieces.append(offset)
    }
    self.entries = entries
    self.pieces = pieces
    count = pieces.reduce(0, +)
    indices = Dictionary(
      uniqueKeysWithValues: entries.enumerated().map { ($0.element.name, $0.offset) })
  }

  /// Whether the numbers exceed any cache of a processor: then reading them is work, and each reader should have
  /// much to do with them.
  package var isLarge: Bool { count >= 1 << 22 }

  /// The tensors' names.
  public var names: [String] { entries.map(\.name) }

  /// The tensor called `name`, if there is one.
  public func find(_ name: String) -> Entry? { indices[name].map { entries[$0] } }

  /// The tensor called `name`.
  ///
  /// - Precondition: There is one.
  public subscript(name: String) -> Entry {
    guard let entry = find(name) else { preconditionFailure("There is no tensor '\(name)'") }
    return entry
  }
}
