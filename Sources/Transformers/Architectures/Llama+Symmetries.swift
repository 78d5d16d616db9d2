package import Tensors

extension Llama {
  /// Other weights that compute the same function.
  ///
  /// Key and value heads with their queries and the neurons of each MLP change places, values and
  /// neurons are rescaled and what reads them takes it back, and every norm's gain is folded into the
  /// matrices behind it. Logits agree up to rounding (1e-4), although hardly a number stays.
  ///
  /// - Parameter generator: Draws orders and scales.
  /// - Precondition: The embedding is untied, or the final gain could not be folded into it.
  package func reparameterised(using generator: inout SeededGenerator) -> any LanguageModel {
    precondition(!configuration.isTied, "A tied embedding cannot take the final norm's gain")
    var model = self
    for layer in 0..<configuration.layers {
      model.permuteHeads(layer, &generator)
      model.permuteNeurons(layer, &generator)
      model.foldGain("input_layernorm", into: ["q_proj", "k_proj", "v_proj"], "self_attn", layer)
      model.foldGain("post_attention_layernorm", into: ["gate_proj", "up_proj"], "mlp", layer)
    }
    model.fold(LlamaConfiguration.finalNorm, into: [LlamaConfiguration.head])
    return model
  }

  private func name(_ layer: Int, _ tensor: String) -> String {
    LlamaConfiguration.name(layer, tensor)
  }

  /// Moves the groups of heads that share keys, and rescales each channel of the values.
  private mutating func permuteHeads(_ layer: Int, _ generator: inout SeededGenerator) {
    let width = configuration.headWidth, group = configuration.heads / configuration.keyHeads
    let order = generator.permutation(configuration.keyHeads)
    let keyRows = order.flatMap { head in (0..<width).map { head * width + $0 } }
    let queryRows = order.flatMap { head in
      (0..<group * width).map { head * group * width + $0 }
    }
    let scales = Self.scales(keyRows.count, &generator)
    let outputScales = (0..<queryRows.count).map { index in
      1 / scales[index / (group * width) * width + index % width]
    }
    permuteRows("self_attn.q_proj", layer, queryRows)
    permuteRows("self_attn.k_proj", layer, keyRows)
    permuteRows("self_attn.v_proj", layer, keyRows, scales: scales)
    permuteColumns("self_attn.o_proj.weight", layer, queryRows, scales: outputScales)
  }

  private mutating func permuteNeurons(_ layer: Int, _ generator: inout SeededGenerator) {
    let order = generator.permutation(configuration.mlpWidth)
    let scales = Self.scales(order.count, &generator)
    permuteRows("mlp.gate_proj", layer, order)
    permuteRows("mlp.up_proj", layer, order, scales: scales)
    permuteColumns("mlp.down_proj.weight", layer, order, scales: scales.map { 1 / $0 })
  }

  /// Factors from a half to two.
  private static func scales(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in Float(0.5 + 1.5 * generator.uniform()) }
  }

  /// Reorders the outputs of a projection, its bias included.
  private mutating func permuteRows(
    _ projection: String, _ layer: Int, _ order: [Int], scales: [Float]? = nil
  ) {
    let weight = name(layer, "\(projection).weight"), bias = name(layer, "\(projection).bias")
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
    _ tensor: String, _ layer: Int, _ order: [Int], scales: [Float]
  ) {
    let old = parameters[name(layer, tensor)]
    parameters[name(layer, tensor)] = Tensor(
      shape: old.shape,
      scalars: (0..<old.rows).flatMap { row in
        order.enumerated().map { column, source in old[row, source] * scales[column] }
      })
  }

  private mutating func foldGain(
    _ norm: String, into projections: [String], _ branch: String, _ layer: Int
  ) {
    fold(
      name(layer, "\(norm).weight"),
      into: projections.map { name(layer, "\(branch).\($0).weight") })
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
