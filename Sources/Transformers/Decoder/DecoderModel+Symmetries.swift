package import Tensors

extension DecoderModel {
  /// Other weights that compute the same function.
  ///
  /// Key and value heads with their queries and the neurons of each MLP change places, values and
  /// neurons are rescaled and what reads them takes it back, and every norm's gain is folded into the
  /// matrices behind it. Logits agree up to rounding (1e-4), although hardly a number stays.
  ///
  /// - Parameter generator: Draws orders and scales.
  /// - Precondition: The embedding is untied, or the final gain could not be folded into it.
  package func reparameterised(using generator: inout SeededGenerator) -> any LanguageModel {
    precondition(!parts.isTied, "A tied embedding cannot take the final norm's gain")
    precondition(
      parts.norms == Norms(epsilon: parts.norms.epsilon) && parts.mlp.isGated,
      "Only norms before the branches can be folded away, and only gated neurons be rescaled")
    var model = self
    for layer in 0..<parts.layers {
      model.permuteHeads(layer, &generator)
      model.permuteNeurons(layer, &generator)
      model.foldGain(.attentionNorm, into: DecoderParts.readingRoles, layer)
      model.foldGain(.mlpNorm, into: [.gate, .up], layer)
    }
    model.fold(parts.tensorNames.finalNorm, into: [parts.tensorNames.head])
    return model
  }

  private func name(_ role: TensorRole, isBias: Bool = false, _ layer: Int) -> String {
    parts.tensorNames.name(role, isBias: isBias, layer: layer)
  }

  /// Moves the groups of heads that share keys, and rescales each channel of the values.
  private mutating func permuteHeads(_ layer: Int, _ generator: inout SeededGenerator) {
    let width = parts.headWidth, group = parts.heads / parts.keyHeads
    let order = generator.permutation(parts.keyHeads)
    let keyRows = order.flatMap { head in (0..<width).map { head * width + $0 } }
    let queryRows = order.flatMap { head in
      (0..<group * width).map { head * group * width + $0 }
    }
    let scales = Self.scales(keyRows.count, &generator)
    let outputScales = (0..<queryRows.count).map { index in
      1 / scales[index / (group * width) * width + index % width]
    }
    permuteRows(.query, layer, queryRows)
    permuteRows(.key, layer, keyRows)
    permuteRows(.value, layer, keyRows, scales: scales)
    permuteColumns(.attentionOutput, layer, queryRows, scales: outputScales)
  }

  private mutating func permuteNeurons(_ layer: Int, _ generator: inout SeededGenerator) {
    let order = generator.permutation(parts.mlpWidth)
    let scales = Self.scales(order.count, &generator)
    permuteRows(.gate, layer, order)
    permuteRows(.up, layer, order, scales: scales)
    permuteColumns(.down, layer, order, scales: scales.map { 1 / $0 })
  }

  /// Factors from a half to two.
  private static func scales(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in Float(0.5 + 1.5 * generator.uniform()) }
  }

  /// Reorders the outputs of a projection, its bias included.
  private mutating func permuteRows(
    _ role: TensorRole, _ layer: Int, _ order: [Int], scales: [Float]? = nil
  ) {
    let weight = name(role, layer), bias = name(role, isBias: true, layer)
    let old = parameters[weight]
    parameters[weight] = Tensor(
      shape: old.shape,
      scalars: order.enumerated().flatMap { row, source in
        old.row(source).map { $0 * (scales?[row] ?? 1) }
      })
    guard parameters.layout.find(bias) != nil else { return }
    let oldBias = parameters[bias]
    parameters[bias] = Tensor(
      order.enumerated().map { row, source in oldBias[source] * (scales?[row] ?? 1) })
  }

  private mutating func permuteColumns(
    _ role: TensorRole, _ layer: Int, _ order: [Int], scales: [Float]
  ) {
    let old = parameters[name(role, layer)]
    parameters[name(role, layer)] = Tensor(
      shape: old.shape,
      scalars: (0..<old.rows).flatMap { row in
        order.enumerated().map { column, source in old[row, source] * scales[column] }
      })
  }

  private mutating func foldGain(
    _ norm: TensorRole, into readers: [TensorRole], _ layer: Int
  ) {
    fold(name(norm, layer), into: readers.map { name($0, layer) })
  }

  /// Multiplies columns by a gain, which then is 1 everywhere.
  private mutating func fold(_ norm: String, into tensors: [String]) {
    let gain = parameters[norm]
    for tensor in tensors {
      let old = parameters[tensor]
      parameters[tensor] = Tensor(
        shape: old.shape,
        scalars: (0..<old.rows).flatMap { row in zip(old.row(row), gain.scalars).map(*) })
    }
    parameters[norm] = Tensor(repeating: 1, shape: gain.shape)
  }
}
