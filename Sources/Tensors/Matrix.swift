internal import Foundation

/// A row-major window onto a `FloatBuffer`, the operand of every kernel.
///
/// A window, not a value: writing through it writes the buffer. Neighbouring rows may be further
/// apart than the window is wide (`stride`), so that a head, or the queries inside a joint
/// query-key-value product, is a window too.
package struct Matrix: Sendable {
  package let buffer: FloatBuffer
  package let offset: Int
  package let rows: Int
  package let columns: Int
  package let stride: Int

  /// Creates a window.
  ///
  /// - Parameters:
  ///   - buffer: What it looks onto.
  ///   - offset: Where its first element is.
  ///   - rows: Number of rows.
  ///   - columns: Number of columns.
  ///   - stride: Distance between two rows; `columns` if nil.
  /// - Precondition: The window lies inside the buffer.
  package init(_ buffer: FloatBuffer, offset: Int = 0, rows: Int, columns: Int, stride: Int? = nil)
  {
    self.buffer = buffer
    self.offset = offset
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
    let end = rows == 0 ? offset : offset + (rows - 1) * self.stride + columns
    precondition(
      offset >= 0 && rows >= 0 && columns >= 0 && end <= buffer.count,
      "A window of \(rows)x\(columns) at \(offset) leaves a buffer of \(buffer.count)")
  }

  /// Creates undefined numbers with memory of their own, shaped `[rows, columns]`.
  package init(undefinedRows rows: Int, columns: Int) {
    self.init(FloatBuffer(undefined: rows * columns), rows: rows, columns: columns)
  }

  /// Creates zeros with memory of their own, shaped `[rows, columns]`.
  package init(rows: Int, columns: Int) {
    self.init(FloatBuffer(count: rows * columns), rows: rows, columns: columns)
  }

  /// Creates a copy of a tensor, shaped `[rows, columns]` with the last axis as columns.
  package init(_ tensor: Tensor) {
    self.init(FloatBuffer(tensor.scalars), rows: tensor.rows, columns: tensor.columns)
  }

  var start: UnsafeMutablePointer<Float> { buffer.start + offset }
  var isContiguous: Bool { stride == columns || rows == 1 }
  package var count: Int { rows * columns }

  /// The rows in `range`.
  package func rows(_ range: Range<Int>) -> Matrix {
    Matrix(
      buffer, offset: offset + range.lowerBound * stride, rows: range.count, columns: columns,
      stride: stride)
  }

  /// The columns in `range`.
  package func columns(_ range: Range<Int>) -> Matrix {
    Matrix(
      buffer, offset: offset + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }

  /// The first `rows · columns` numbers in another shape.
  ///
  /// - Precondition: Rows follow each other without a gap, and there are as many numbers.
  package func reshaped(rows: Int, columns: Int) -> Matrix {
    precondition(isContiguous && rows * columns <= count, "Not so many numbers in one piece")
    return Matrix(buffer, offset: offset, rows: rows, columns: columns)
  }

  /// The same numbers in rows of another length.
  package func regrouped(columns: Int) -> Matrix {
    reshaped(rows: count / max(columns, 1), columns: columns)
  }

  /// A copy as a value, shaped `[rows, columns]`.
  package var tensor: Tensor {
    Tensor(shape: [rows, columns], scalars: scalars)
  }

  /// A copy of the numbers, row by row.
  package var scalars: [Float] {
    [Float](unsafeUninitializedCapacity: count) { target, initialised in
      guard let base = target.baseAddress else { return }
      for row in 0..<rows {
        (base + row * columns).initialize(from: start + row * stride, count: columns)
      }
      initialised = count
    }
  }

  /// One element.
  package subscript(row: Int, column: Int) -> Float {
    get {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns, "Outside the matrix")
      return start[row * stride + column]
    }
    nonmutating set {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns, "Outside the matrix")
      start[row * stride + column] = newValue
    }
  }

  /// Sets every element.
  package func fill(_ value: Float) {
    if isContiguous { return start.update(repeating: value, count: count) }
    for row in 0..<rows { (start + row * stride).update(repeating: value, count: columns) }
  }

  /// Multiplies every element.
  package func scale(by factor: Float) {
    guard factor != 1 else { return }
    for row in 0..<rows {
      for index in row * stride..<row * stride + columns { start[index] *= factor }
    }
  }

  /// Copies the numbers of a window of the same shape.
  package func copy(_ other: Matrix) {
    precondition(
      rows == other.rows && columns == other.columns,
      "Cannot copy \(other.rows)x\(other.columns) into \(rows)x\(columns)")
    if isContiguous && other.isContiguous { return start.update(from: other.start, count: count) }
    for row in 0..<rows {
      (start + row * stride).update(from: other.start + row * other.stride, count: columns)
    }
  }

  /// Whether another window of the same shape holds the same bytes; unlike `==`, it tells 0 from -0 and finds NaN
  /// equal.
  package func hasSameBytes(as other: Matrix) -> Bool {
    guard rows == other.rows, columns == other.columns else { return false }
    return (0..<rows).allSatisfy { row in
      memcmp(
        start + row * stride, other.start + row * other.stride,
        columns * MemoryLayout<Float>.stride) == 0
    }
  }

  /// Whether another window of the same shape holds the same numbers; as of any numbers, 0 is -0, and NaN is not NaN.
  package func hasSameNumbers(as other: Matrix) -> Bool {
    guard rows == other.rows, columns == other.columns else { return false }
    return (0..<rows).allSatisfy { row in
      let own = start + row * stride, others = other.start + row * other.stride
      return (0..<columns).allSatisfy { own[$0] == others[$0] }
    }
  }

  /// Copies numbers given row by row.
  package func copy(_ scalars: [Float]) {
    precondition(scalars.count == count, "Cannot copy \(scalars.count) into \(rows)x\(columns)")
    scalars.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      for row in 0..<rows {
        (start + row * stride).update(from: base + row * columns, count: columns)
      }
    }
  }
}

extension Tensor {
  /// Creates a matrix in place: `fill` writes every number of a window that must not outlive it.
  package init(rows: Int, columns: Int, filling fill: (Matrix) -> Void) {
    let scalars = [Float](unsafeUninitializedCapacity: rows * columns) { target, initialised in
      let buffer =
        target.baseAddress.map { FloatBuffer(borrowing: $0, count: rows * columns) }
        ?? FloatBuffer(count: 0)
      fill(Matrix(buffer, rows: rows, columns: columns))
      initialised = rows * columns
    }
    self.init(shape: [rows, columns], scalars: scalars)
  }

  /// Creates several matrices in place: `fill` writes every number of windows that must not outlive it.
  package static func filled(
    _ shapes: [(rows: Int, columns: Int)], by fill: ([Matrix]) -> Void
  ) -> [Tensor] {
    func room(_ left: ArraySlice<(rows: Int, columns: Int)>, _ windows: [Matrix]) -> [Tensor] {
      guard let shape = left.first else {
        fill(windows)
        return []
      }
      var rest: [Tensor] = []
      let first = Tensor(rows: shape.rows, columns: shape.columns) {
        rest = room(left.dropFirst(), windows + [$0])
      }
      return [first] + rest
    }
    return room(shapes[...], [])
  }
}
