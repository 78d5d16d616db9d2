internal import JSON
internal import Tensors

/// An adapted module: a tensor of the base, and what changes it.
struct AdapterModule {
  private let form: StoredForm
  private let parts: [AdapterTensorName.Part: any StoredTensor]
  private let options: AdapterOptions
  private let path: String

  init(
    _ form: StoredForm, _ parts: [AdapterTensorName.Part: any StoredTensor],
    _ options: AdapterOptions, path: String
  ) {
    self.form = form
    self.parts = parts
    self.options = options
    self.path = path
  }

  private var module: String { PEFTAdapter.module(form.name) }
  private var scale: Float { options.scale(of: module) }
  private var isEmbedding: Bool { parts[.embeddingA] != nil || parts[.embeddingB] != nil }
  private var hasFactors: Bool { parts.keys.contains { $0 != .tokens } }

  /// The changes that stay factors: all but those whose outputs' lengths are numbers of their own.
  ///
  /// - Throws: `CheckpointError`, with the tensor that has another shape or is missing.
  func factors() throws -> [AdapterChanges.Factors] {
    guard hasFactors, !options.hasMagnitudes else { return [] }
    let (a, b) = try product()
    return form.splitOutputs(b).map {
      AdapterChanges.Factors(target: $0.name, a: a, b: $0.tensor, scale: scale)
    }
  }

  /// The factors of a matrix with a row an output, shaped `[rank, input]` and `[output, rank]`.
  ///
  /// An embedding's output is a token's row: its first factor is stored by token, and the second by number.
  private func product() throws -> (a: Tensor, b: Tensor) {
    let rank = options.rank(of: module)
    let (outputs, inputs) = (form.outputs, form.inputs)
    guard isEmbedding else {
      return (try read(.a, [rank, inputs]), try read(.b, [outputs, rank]))
    }
    let (a, b) = (try read(.embeddingA, [rank, outputs]), try read(.embeddingB, [inputs, rank]))
    return (b.transposed, a.transposed)
  }

  /// Reads a part, after its shape fits.
  private func read(_ part: AdapterTensorName.Part, _ shape: [Int]) throws -> Tensor {
    guard let tensor = parts[part] else {
      throw CheckpointError.missingTensor(
        "\(PEFTAdapter.prefix)\(module).\(part.rawValue)", file: path,
        advice: "All parts of a module are needed.")
    }
    guard tensor.shape == shape else {
      throw CheckpointError.badTensor(
        tensor.name, file: path,
        reason: "is shaped \(tensor.shape); 'r' and the base ask for \(shape)")
    }
    return try tensor.read()
  }

  /// Adds what this module replaces to the values of other tensors.
  ///
  /// - Parameters:
  ///   - values: Those so far; a tensor that is not among them is the base's.
  ///   - base: The base's weights.
  /// - Throws: `CheckpointError`, with the tensor that has another shape or is missing.
  func values(_ values: [String: Tensor], of base: Parameters) throws -> [String: Tensor] {
    var values = values
    func value(_ name: String) -> Tensor { values[name] ?? base[name] }
    if hasFactors, options.hasMagnitudes {
      for part in try scaled(value) { values[part.name] = part.tensor }
    }
    if let stored = parts[.bias] { try addBias(stored, &values, base) }
    if let stored = parts[.tokens] {
      values[form.name] = try replacingRows(of: value(form.name), stored)
    }
    return values
  }

  /// The matrix with outputs of the lengths that were learned: m (W + s B A) / ‖W + s B A‖, row by row.
  ///
  /// Liu and others, 2024, eq. 5. Of an embedding the lengths are those of its columns.
  private func scaled(_ value: (String) -> Tensor) throws -> [(name: String, tensor: Tensor)] {
    let (a, b) = try product()
    func changed(_ name: String, _ b: Tensor) -> Tensor {
      value(name) + matrixProduct(b, a).scaled(by: scale)
    }
    func lengthened(_ matrix: Tensor, to lengths: [Float]) -> Tensor {
      matrix.scalingRows(by: zip(lengths, matrix.rowNorms).map { $0 / $1 })
    }
    guard !isEmbedding else {
      let lengths = try read(.magnitude, [form.inputs]).scalars
      return [(form.name, lengthened(changed(form.name, b).transposed, to: lengths).transposed)]
    }
    let lengths = try read(.magnitude, [form.outputs]).reshaped([form.outputs, 1])
    return zip(form.splitOutputs(b), form.splitOutputs(lengths)).map { part, lengths in
      (part.name, lengthened(changed(part.name, part.tensor), to: lengths.tensor.scalars))
    }
  }

  private func addBias(
    _ stored: any StoredTensor, _ values: inout [String: Tensor], _ base: Parameters
  ) throws {
    let change = Tensor(
      shape: [form.outputs, 1], scalars: try read(.bias, [form.outputs]).scaled(by: scale).scalars)
    for part in form.splitOutputs(change) {
      let name = part.name.replacing(".weight", with: ".bias")
      guard let bias = values[name] ?? base.layout.find(name).map({ base[$0.name] }) else {
        throw CheckpointError.badTensor(
          stored.name, file: path, reason: "is a bias, and the base has none there ('lora_bias')")
      }
      values[name] = bias + part.tensor.reshaped(bias.shape)
    }
  }

  /// An embedding, or a head, with some tokens' rows replaced.
  private func replacingRows(of matrix: Tensor, _ stored: any StoredTensor) throws -> Tensor {
    let ids =
      options.tokens.first {
        $0.module.isEmpty || module == $0.module || module.hasSuffix(".\($0.module)")
      }?.ids ?? []
    let rows = try read(.tokens, [ids.count, form.inputs])
    var scalars = matrix.scalars
    for (row, id) in ids.enumerated() {
      guard (0..<form.outputs).contains(id) else {
        throw CheckpointError.badTensor(
          stored.name, file: path,
          reason: "is for token \(id), which the base does not have ('trainable_token_indices')")
      }
      scalars.replaceSubrange(id * form.inputs..<(id + 1) * form.inputs, with: rows.row(row))
    }
    return Tensor(shape: matrix.shape, scalars: scalars)
  }
}
