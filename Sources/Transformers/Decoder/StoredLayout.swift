package import Tensors

/// A tensor of a file, and the decoder's tensors that it holds.
package struct StoredForm {
  package let name: String
  let shape: [Int]
  /// The decoder's tensors, each with as many rows a head.
  let tensors: [ParameterLayout.Entry]
  /// The heads whose rows alternate; 1 if the tensors lie one behind the other.
  let heads: Int
  let isTransposed: Bool

  /// A tensor that files keep as the decoder does.
  init(_ entry: ParameterLayout.Entry) {
    (name, shape, tensors, heads, isTransposed) = (entry.name, entry.shape, [entry], 1, false)
  }

  init(
    name: String, _ tensors: [ParameterLayout.Entry], heads: Int, isTransposed: Bool
  ) {
    let rows = tensors.map { $0.matrixShape[0] }.reduce(0, +), columns = tensors[0].columns
    self.name = name
    self.tensors = tensors
    self.heads = heads
    let isVector = tensors[0].shape.count == 1
    self.isTransposed = isTransposed && !isVector
    shape = isVector ? [rows] : isTransposed ? [columns, rows] : [rows, columns]
  }

  /// Whether it is one of the decoder's tensors, as that has it.
  var isPlain: Bool { tensors.count == 1 && !isTransposed }

  /// For each row of the stored matrix, outputs first, the tensor and the row of it that it holds.
  private var places: [(tensor: Int, row: Int)] {
    (0..<heads).flatMap { head in
      tensors.indices.flatMap { tensor in
        let rows = tensors[tensor].matrixShape[0] / heads
        return (0..<rows).map { (tensor, head * rows + $0) }
      }
    }
  }

  /// The names of the decoder's tensors that it holds.
  var parts: [String] { tensors.map(\.name) }

  /// Rows and columns of the matrix with a row an output; a vector is a column.
  var outputs: Int { matrixShape[0] }
  var inputs: Int { matrixShape[1] }

  /// The decoder's tensors that a stored one holds.
  func split(_ stored: Tensor) -> [(name: String, tensor: Tensor)] {
    guard !isPlain else { return [(name, stored)] }
    let parts = splitOutputs(isTransposed ? stored.transposed : stored.reshaped(matrixShape))
    return zip(tensors, parts).map { ($0.name, $1.tensor.reshaped($0.shape)) }
  }

  /// The rows of a matrix with a row for each output, by the tensor whose output it is.
  func splitOutputs(_ matrix: Tensor) -> [(name: String, tensor: Tensor)] {
    guard tensors.count > 1 else { return [(tensors[0].name, matrix)] }
    let columns = matrix.columns
    var parts = tensors.map { [Float](repeating: 0, count: $0.matrixShape[0] * columns) }
    for (index, place) in places.enumerated() {
      let start = place.row * columns
      parts[place.tensor].replaceSubrange(start..<start + columns, with: matrix.row(index))
    }
    return zip(tensors, parts).map {
      ($0.name, Tensor(shape: [$0.matrixShape[0], columns], scalars: $1))
    }
  }

  /// The stored tensor that holds the decoder's.
  package func joined(_ parameters: Parameters) -> Tensor {
    guard !isPlain else { return parameters[name] }
    let parts = tensors.map { parameters[$0.name].reshaped($0.matrixShape) }
    let scalars = places.flatMap { Array(parts[$0.tensor].row($0.row)) }
    let matrix = Tensor(shape: matrixShape, scalars: scalars)
    return isTransposed ? matrix.transposed : matrix.reshaped(shape)
  }

  /// Its bytes, little-endian floats.
  func bytes(_ parameters: Parameters) -> [UInt8] {
    guard !isPlain else { return parameters.bytes(name) }
    let stored = joined(parameters)
    return FloatBuffer(stored.scalars).bytes(in: 0..<stored.count)
  }

  /// The shape of the matrix with a row an output; a vector is a column.
  private var matrixShape: [Int] {
    isTransposed ? shape.reversed() : shape.count == 1 ? [shape[0], 1] : shape
  }
}

/// The tensors of files, in the order in which the decoder has what they hold.
package struct StoredLayout {
  package let forms: [StoredForm]

  /// Their names and shapes.
  var layout: ParameterLayout { ParameterLayout(forms.map { ($0.name, $0.shape) }) }

  package init(_ parts: DecoderParts) {
    let layout = parts.layout, names = parts.tensorNames
    var holders: [String: StoredForm] = [:]
    for layer in 0..<parts.layers {
      for (module, isBias) in names.stored.flatMap({ [($0, false), ($0, true)] }) {
        let held = module.roles.map { names.name($0, isBias: isBias, layer: layer) }
        let entries = held.compactMap(layout.find)
        guard entries.count == held.count else { continue }
        let form = StoredForm(
          name: names.name(module.name, isBias: isBias, layer: layer), entries,
          heads: module.alternatesByHead ? parts.keyHeads : 1, isTransposed: module.isTransposed)
        for name in held { holders[name] = form }
      }
    }
    forms = layout.entries.compactMap { entry in
      guard let holder = holders[entry.name] else { return StoredForm(entry) }
      return holder.tensors[0].name == entry.name ? holder : nil
    }
  }
}
