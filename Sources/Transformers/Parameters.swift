public import Tensors

/// A tensor that is made when somebody reads it.
package protocol FormedTensor: AnyObject, Sendable {
  /// Writes the numbers of some rows.
  ///
  /// - Parameters:
  ///   - rows: The rows.
  ///   - window: As many rows in one piece of memory, as wide as the tensor; its numbers are undefined.
  func form(_ rows: Range<Int>, into window: Matrix)
}

/// A model's weights, or their gradient: named tensors in a few pieces of memory.
///
/// A value: copies share each piece until one of them writes to it. Matrices may have low-rank updates
/// that are kept beside the memory, so that a LoRA finetune needs its base's memory and its factors
/// only; whoever reads a tensor reads the sum. Of a piece that is not held, each tensor is formed when it
/// is read, and let go with the window that was read: so models that exceed the memory are read block by block.
public struct Parameters: Sendable {
  /// Names, shapes and places.
  public let layout: ParameterLayout
  /// The memory of each piece; nil if its tensors are formed.
  private var held: [FloatBuffer?]
  private var formed: [String: any FormedTensor] = [:]
  private var updates: [String: LowRankUpdate] = [:]

  /// Creates zeros.
  public init(layout: ParameterLayout) {
    self.layout = layout
    held = layout.pieces.map { FloatBuffer(count: $0) }
  }

  /// Takes tensors that are formed when they are read.
  ///
  /// - Precondition: There is one for every tensor of the layout.
  package init(layout: ParameterLayout, forming tensors: [String: any FormedTensor]) {
    precondition(layout.names.allSatisfy { tensors[$0] != nil }, "A tensor has nothing to form it")
    self.layout = layout
    held = layout.pieces.map { _ in nil }
    formed = tensors
  }

  /// Whether all numbers are in memory.
  package var areHeld: Bool { !held.contains { $0 == nil } }

  /// The same numbers, all of them in memory.
  package var holdingAll: Parameters {
    var result = self
    for piece in held.indices { result.hold(piece) }
    return result
  }

  /// These numbers with some tensors formed when they are read.
  ///
  /// The others of their pieces are read from here.
  package func replacing(_ tensors: [String: any FormedTensor]) -> Parameters {
    var result = self
    for piece in Set(tensors.keys.map { layout[$0].piece }) {
      for entry in layout.entries where entry.piece == piece {
        result.formed[entry.name] =
          tensors[entry.name] ?? formed[entry.name] ?? HeldTensor(window(entry))
      }
      result.held[piece] = nil
    }
    return result
  }

  /// The change of a tensor that is kept beside the memory, if there is one.
  public func update(of name: String) -> LowRankUpdate? { updates[name] }

  /// The names of the tensors whose change is kept beside the memory, in the order of the layout.
  var updatedNames: [String] {
    updates.isEmpty ? [] : layout.names.filter { updates[$0] != nil }
  }

  /// Bytes of memory that these numbers need beside another's.
  public func bytes(beside other: Parameters? = nil) -> Int {
    let factors = updates.values.reduce(0) { $0 + $1.left.count + $1.right.count }
    let own = held.indices.reduce(0) { sum, piece in
      guard let buffer = held[piece] else { return sum }
      let isShared = other?.held.indices.contains(piece) == true && buffer === other?.held[piece]
      return sum + (isShared ? 0 : buffer.count)
    }
    return (own + factors) * MemoryLayout<Float>.stride
  }

  /// Whether these are another's numbers, in the same memory, with updates of some tensors.
  public func isAdaptation(of other: Parameters) -> Bool {
    layout == other.layout && other.updates.isEmpty && !updates.isEmpty && isInMemory(of: other)
  }

  /// Whether these are another's numbers, updates left out, because they are the same memory.
  private func isInMemory(of other: Parameters) -> Bool {
    zip(held, other.held).allSatisfy { $0 === $1 }
      && layout.entries.allSatisfy {
        held[$0.piece] != nil || formed[$0.name] === other.formed[$0.name]
      }
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
    for name in updatedNames { result.mergeUpdate(of: name) }
    return result
  }

  private mutating func mergeUpdate(of name: String) {
    guard let update = updates.removeValue(forKey: name) else { return }
    let entry = layout[name]
    makeUnique(entry.piece)
    multiply(Matrix(update.left), Matrix(update.right), into: window(entry), accumulating: true)
  }

  /// The tensor called `name` as a window to read from.
  package func matrix(_ name: String) -> Matrix {
    updates[name] == nil ? window(layout[name]) : Matrix(self[name])
  }

  /// Whether the tensor called `name` is in memory, as a whole or but for its factors.
  fileprivate func isHeld(_ name: String) -> Bool { held[layout[name].piece] != nil }

  /// Some rows of the tensor called `name` as a window to read from; no others are formed.
  package func rows(_ range: Range<Int>, of name: String) -> Matrix {
    let entry = layout[name]
    guard !isHeld(name), updates[name] == nil else { return matrix(name).rows(range) }
    let window = Matrix(undefinedRows: range.count, columns: entry.columns)
    form(entry, range, into: window)
    return window
  }

  /// The rows of the tensor called `name`, as many at once as should be in memory: all if they are.
  package func rowGroups(of name: String) -> [Range<Int>] {
    let entry = layout[name]
    guard !isHeld(name) else { return [0..<entry.rows] }
    let size = max(1, Self.formedAtOnce / max(1, entry.columns))
    return stride(from: 0, to: entry.rows, by: size).map { $0..<min($0 + size, entry.rows) }
  }

  /// Numbers (32 MiB) of a tensor that need not be formed as a whole.
  private static let formedAtOnce = 1 << 23

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
        next.piece == entry.piece && next.offset == entry.offset + entry.count,
        "'\(entry.name)' and '\(next.name)' are not neighbours")
    }
    let isVector = entries[0].shape.count == 1
    let columns = isVector ? entries.map(\.columns).reduce(0, +) : entries[0].columns
    let rows = isVector ? 1 : entries.map(\.rows).reduce(0, +)
    if let buffer = held[entries[0].piece] {
      return Matrix(buffer, offset: entries[0].offset, rows: rows, columns: columns)
    }
    let all = Matrix(undefinedRows: rows, columns: columns)
    for entry in entries {
      form(
        entry, 0..<entry.rows,
        into: Matrix(
          all.buffer, offset: entry.offset - entries[0].offset, rows: entry.rows,
          columns: entry.columns))
    }
    return all
  }

  /// The tensor called `name` as a window to write to.
  package mutating func mutableMatrix(_ name: String) -> Matrix {
    mergeUpdate(of: name)
    let entry = layout[name]
    makeUnique(entry.piece)
    return window(entry)
  }

  /// Each piece as one row to write to, updates added to it.
  mutating func mutablePieces() -> [Matrix] {
    self = merged
    return held.indices.map {
      makeUnique($0)
      return wholePiece($0)
    }
  }

  /// Each piece as one row to read from.
  ///
  /// - Precondition: All are held, and no updates are kept beside them.
  func readPieces() -> [Matrix] { held.indices.map(wholePiece) }

  private func wholePiece(_ piece: Int) -> Matrix {
    guard let buffer = held[piece] else { preconditionFailure("The piece is not held") }
    return Matrix(buffer, rows: 1, columns: buffer.count)
  }

  /// The tensor called `name` as a value.
  public subscript(name: String) -> Tensor {
    get {
      let stored = Tensor(shape: layout[name].shape, scalars: window(layout[name]).scalars)
      guard let update = updates[name] else { return stored }
      return stored + update.product
    }
    set {
      precondition(newValue.shape == layout[name].shape, "'\(name)' has another shape")
      mutableMatrix(name).copy(newValue.scalars)
    }
  }

  /// What the tensor called `name` has over another's.
  package func difference(of name: String, from base: Parameters) -> Tensor {
    let entry = layout[name]
    return difference(of: name, rows: 0..<entry.rows, from: base).reshaped(entry.shape)
  }

  /// What some rows of the tensor called `name` have over another's, shaped `[rows, columns]`.
  package func difference(of name: String, rows range: Range<Int>, from base: Parameters) -> Tensor
  {
    let before = base.rows(range, of: name), after = rows(range, of: name)
    return Tensor(rows: after.rows, columns: after.columns) {
      $0.copy(after)
      addScaled(before, by: -1, to: $0)
    }
  }

  /// The norm of each row of the tensor called `name`.
  package func rowNorms(of name: String) -> [Float] {
    rowGroups(of: name).flatMap { rows($0, of: name).tensor.rowNorms }
  }

  /// The bytes of one tensor, little-endian floats.
  public func bytes(_ name: String) -> [UInt8] {
    let window = matrix(name)
    return window.buffer.bytes(in: window.offset..<window.offset + window.count)
  }

  /// Adds `factor` times others of the same layout.
  package mutating func add(_ other: Parameters, scaled factor: Float = 1) {
    precondition(layout == other.layout, "Cannot add parameters of another layout")
    for (own, added) in zip(mutablePieces(), other.merged.holdingAll.readPieces()) {
      addScaled(added, by: factor, to: own)
    }
  }

  /// These numbers plus `factor` times others of the same layout.
  public func adding(_ other: Parameters, scaled factor: Float = 1) -> Parameters {
    var sum = self
    sum.add(other, scaled: factor)
    return sum
  }

  /// These numbers with some tensors multiplied, entry by entry, by those of the same name.
  public func multiplied(by other: Parameters, _ names: [String]) -> Parameters {
    var product = self
    for name in names { product[name] = self[name] * other[name] }
    return product
  }

  /// A tensor as a window, updates left out; on memory of its own if it is formed.
  private func window(_ entry: ParameterLayout.Entry) -> Matrix {
    if let buffer = held[entry.piece] {
      return Matrix(buffer, offset: entry.offset, rows: entry.rows, columns: entry.columns)
    }
    let window = Matrix(undefinedRows: entry.rows, columns: entry.columns)
    form(entry, 0..<entry.rows, into: window)
    return window
  }

  private func form(_ entry: ParameterLayout.Entry, _ rows: Range<Int>, into window: Matrix) {
    guard let tensor = formed[entry.name] else {
      preconditionFailure("'\(entry.name)' is neither held nor formed")
    }
    tensor.form(rows, into: window)
  }

  /// Forms the tensors of a piece for good.
  private mutating func hold(_ piece: Int) {
    guard held[piece] == nil else { return }
    let buffer = Matrix(undefinedRows: 1, columns: layout.pieces[piece]).buffer
    for entry in layout.entries where entry.piece == piece {
      form(
        entry, 0..<entry.rows,
        into: Matrix(buffer, offset: entry.offset, rows: entry.rows, columns: entry.columns))
      formed[entry.name] = nil
    }
    held[piece] = buffer
  }

  private mutating func makeUnique(_ piece: Int) {
    hold(piece)
    if !isKnownUniquelyReferenced(&held[piece]) { held[piece] = held[piece]?.copy() }
  }
}

extension Parameters: Equatable {
  /// Whether two sets of weights are the same bytes under the same names.
  public static func == (a: Parameters, b: Parameters) -> Bool {
    guard a.layout == b.layout else { return false }
    // Of two finetunes of one base only the factors can differ.
    if a.updates == b.updates && a.isInMemory(of: b) { return true }
    return a.layout.names.allSatisfy { a.hasSame($0, as: b) }
  }

  /// Whether another's tensor is the same bytes.
  package func hasSame(_ name: String, as other: Parameters) -> Bool {
    rowGroups(of: name).allSatisfy {
      rows($0, of: name).hasSameBytes(as: other.rows($0, of: name))
    }
  }

  /// Whether another's tensor is the same numbers, 0 and -0 being one.
  package func hasSameNumbers(_ name: String, as other: Parameters) -> Bool {
    rowGroups(of: name).allSatisfy {
      rows($0, of: name).hasSameNumbers(as: other.rows($0, of: name))
    }
  }

  /// The product of rows with a tensor of many rows, transposed, shaped `[streams.rows, rows of the tensor]`.
  ///
  /// Large ones are computed on several threads, each by some rows of the tensor: so every number is the same as on
  /// one.
  package func readout(_ streams: Matrix, through name: String) -> Tensor {
    let entry = layout[name]
    let isShared = updates[name] == nil && streams.rows * entry.rows >= Self.leastShared
    let groups =
      isHeld(name)
      ? Shards.ranges(of: entry.rows, count: isShared ? Shards.count : 1) : rowGroups(of: name)
    return Tensor(rows: streams.rows, columns: entry.rows) { result in
      Shards.forEach(groups.count) { index in
        multiply(
          streams, rows(groups[index], of: name), into: result.columns(groups[index]),
          transposingB: true)
      }
    }
  }

  /// Numbers of a result from which on the product is worth several threads.
  private static var leastShared: Int { 1 << 20 }
}

/// A tensor of a piece that others of are replaced.
private final class HeldTensor: FormedTensor {
  private let source: Matrix
  init(_ source: Matrix) { self.source = source }
  func form(_ rows: Range<Int>, into window: Matrix) { window.copy(source.rows(rows)) }
}
