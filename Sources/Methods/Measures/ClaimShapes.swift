internal import Tensors
internal import Diffing
internal import Transformers

extension SiteClaim {
  /// Claims of both modules of each block, by how much a figure of the stream grows over the block; nil if it
  /// grows nowhere.
  ///
  /// - Parameters:
  ///   - values: The figure after each block.
  ///   - start: The figure before the first block, for which the embedding answers.
  ///   - others: Further modules with their figures.
  static func rankingGrowth(
    _ values: [Float], from start: Float, and others: [(ModuleSite, Float)] = []
  ) -> [SiteClaim]? {
    let blocks = values.indices.flatMap { layer -> [(ModuleSite, Float)] in
      let growth = values[layer] - (layer > 0 ? values[layer - 1] : start)
      return [(.attention(layer: layer), growth), (.mlp(layer: layer), growth)]
    }
    // A tied matrix answers at both ends of the model, and is named once.
    let embedding = others.filter { $0.0 == .embedding }.reduce(start) { $0 + $1.1 }
    return ranking(
      blocks + (embedding > 0 ? [(.embedding, embedding)] : [])
        + others.filter { $0.0 != .embedding })
  }
}
