public import Tensors

/// The names and shapes of a model's tensors, in declaration order, and where each one lies.
public struct ParameterLayout: Sendable, Equatable {
  /// One named tensor.
  public struct Entry: Sendable, Equatable {
    /// The name, as the checkpoint spells it.
    public let name: String
    /// One axis for a vector, rows and columns for a matrix.
    public let shape: [Int]
    /// Where it starts in the memory of all tensors.
    public let offset: Int
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
  /// How many numbers all tensors have.
  public let count: Int
  private let indices: [String: Int]

  /// Lays tensors out one behind the other.
  public init(_ tensors: [(name: String, shape: [Int])]) {
    var offset = 0
    entries = tensors.map { tensor in
      defer { offset += tensor.shape.reduce(1, *) }
      return Entry(name: tensor.name, shape: tensor.shape, offset: offset)
    }
    count = offset
    indices = Dictionary(
      uniqueKeysWithValues: entries.enumerated().map { ($0.element.name, $0.offset) })
  }

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

/// A model's weights, or their gradient: named tensors in one flat piece of memory.
///
/// A value: copies share memory until one of them is written to. Matrices may have low-rank updates
/// that are kept beside the memory, so that a LoRA finetune needs its base's memory and its factors
/// only; whoever reads a tensor reads the sum.
public struct Parameters: Sendable {
  /// Names, shapes and places.
  public let layout: ParameterLayout
  private var buffer: FloatBuffer
  private var updates: [String: LowRankUpdate] = [:]

  /// Creates zeros.
  public init(layout: ParameterLayout) {
    self.layout = layout
    buffer = FloatBuffer(count: layout.count)
  }

  /// The change of a tensor that is kept beside the memory, if there is one.
  public func update(of name: String) -> LowRankUpdate? { updates[name] }

  /// Bytes of memory that these numbers need beside another's.
  public func bytes(beside other: Parameters? = nil) -> Int {
    let factors = updates.values.reduce(0) { $0 + $1.left.count + $1.right.count }
    let own = buffer === other?.buffer ? 0 : buffer.count
    return (own + factors) * MemoryLayout<Float>.stride
  }

  /// Whether these are another's numbers, in the same memory, with updates of some tensors.
  public func isAdaptation(of other: Parameters) -> Bool {
    buffer === other.buffer && layout == other.layout && other.updates.isEmpty && !updates.isEmpty
  }

  /// These numbers with a tensor changed by a product, which is kept beside the memory.
  ///
  /// - Precondition: The product has the tensor's shape.
  public func updated(_ name: String, by update: LowRankUpdate) -> Parameters {
    precondition(
      layout[name].shape == [update.left.rows, update.right.columns], "'\(name)' has another shape")
    var result = self
    result.mergeUpdate(of: name)
    result.updates[name] = update
    return result
  }

  /// The same numbers with every update added to them, in memory of their own if there are any.
  public var merged: Parameters {
    var result = self
    for name in layout.names { result.mergeUpdate(of: name) }
    return result
  }

  private mutating func mergeUpdate(of name: String) {
    guard let update = updates.removeValue(forKey: name) else { return }
    makeUnique()
    multiply(
      Matrix(update.left), Matrix(update.right), into: window(layout[name]), accumulating: true)
  }

  /// The tensor called `name` as a window to read from.
  package func matrix(_ name: String) -> Matrix {
    updates[name] == nil ? window(layout[name]) : Matrix(self[name])
  }

  /// Neighbouring tensors of equal width as one window: rows of the first, then of the second, ...
  ///
  /// - Precondition: No updates are kept beside them.
  package func joint(_ names: [String]) -> Matrix {
    precondition(names.allSatisfy { updates[$0] == nil }, "Updates are kept beside the tensors")
    return stored(names)
  }

  /// Neighbouring tensors as `joint` gives them, updates left out.
  func stored(_ names: [String]) -> Matrix {
    let entries = names.map { layout[$0] }
    for (entry, next) in zip(entries, entries.dropFirst()) {
      precondition(
        next.offset == entry.offset + entry.count,
        "'\(entry.name)' and '\(next.name)' are not neighbours")
    }
    let isVector = entries[0].shape.count == 1
    let columns = isVector ? entries.map(\.columns).reduce(0, +) : entries[0].columns
    let rows = isVector ? 1 : entries.map(\.rows).reduce(0, +)
    return Matrix(buffer, offset: entries[0].offset, rows: rows, columns: columns)
  }

  /// The tensor called `name` as a window to write to.
  package mutating func mutableMatrix(_ name: String) -> Matrix {
    mergeUpdate(of: name)
    makeUnique()
    return window(layout[name])
  }

  /// All numbers as one row to read from, shaped `[1, count]`.
  package var flat: Matrix {
    Matrix(updates.isEmpty ? buffer : merged.buffer, rows: 1, columns: layout.count)
  }

  /// All numbers as one row to write to, shaped `[1, count]`.
  package mutating func mutableFlat() -> Matrix {
    self = merged
    makeUnique()
    return flat
  }

  /// The tensor called `name` as a value.
  public subscript(name: String) -> Tensor {
    get {
      let entry = layout[name]
      let stored = Tensor(
        shape: entry.shape,
        scalars: buffer.scalars(in: entry.offset..<entry.offset + entry.count))
      guard let update = updates[name] else { return stored }
      return stored + update.product
    }
    set {
      precondition(newValue.shape == layout[name].shape, "'\(name)' has another shape")
      mutableMatrix(name).copy(newValue.scalars)
    }
  }

  /// The bytes of one tensor, little-endian floats.
  public func bytes(_ name: String) -> [UInt8] {
    let entry = layout[name]
    guard updates[name] == nil else {
      return FloatBuffer(self[name].scalars).bytes(in: 0..<entry.count)
    }
    return buffer.bytes(in: entry.offset..<entry.offset + entry.count)
  }

  /// These numbers plus `factor` times others of the same layout.
  public func adding(_ other: Parameters, scaled factor: Float = 1) -> Parameters {
    precondition(layout == other.layout, "Cannot add parameters of another layout")
    var sum = self
    addScaled(other.flat, by: factor, to: sum.mutableFlat())
    return sum
  }

  /// These numbers with some tensors multiplied, entry by entry, by those of the same name.
  public func multiplied(by other: Parameters, _ names: [String]) -> Parameters {
    var product = self
    for name in names { product[name] = self[name] * other[name] }
    return product
  }

  private func window(_ entry: ParameterLayout.Entry) -> Matrix {
    Matrix(buffer, offset: entry.offset, rows: entry.rows, columns: entry.columns)
  }

  private mutating func makeUnique() {
    if !isKnownUniquelyReferenced(&buffer) { buffer = buffer.copy() }
  }
}

extension Parameters: Equatable {
  /// Whether two sets of weights are the same bytes under the same names.
  public static func == (a: Parameters, b: Parameters) -> Bool {
    guard a.layout == b.layout else { return false }
    // Of two finetunes of one base only the factors can differ.
    if a.buffer === b.buffer && a.updates == b.updates { return true }
    return a.merged.buffer.hasSameBytes(as: b.merged.buffer)
  }
}
