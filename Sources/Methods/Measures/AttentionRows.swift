internal import Diffing
internal import Tensors
internal import Transformers

/// A token whose attention is compared.
struct AttentionPlace {
  /// The token's row, and the row's first token.
  let row, start: Int
  let query: Int
  /// What it may look at: the row's counted tokens up to itself.
  let keys: [Int]

  init(row: Int, query: Int, in text: TokenBatch, _ prompts: PromptSet) {
    self.row = row
    self.query = query
    start = text.range(row).lowerBound
    keys = prompts.countedTokens(ofRow: row, in: text).filter { $0 <= query }
  }
}

/// Where one head looks after one token, the row's start left out.
///
/// The first token is a sink: most of a head's mass rests there and means nothing, so small changes of
/// what it does look at would vanish. Each key counts by what the head can write from it: its weight times
/// the norm of the value that the head writes into the stream.
struct AttentionRows {
  /// Shares of the keys, summing to 1, for each row.
  let shares: [[Float]]
  /// Plain shares, without the values, for each row.
  let plain: [[Float]]

  init(
    _ side: ModelPair.Side, of pair: ModelPair, layer: Int, head: Int, text: TokenBatch,
    places: [AttentionPlace]
  ) {
    let longest = text.longestRow
    let pattern = pair.activations(side, at: .pattern(layer: layer), on: text)
    let values = pair.activations(side, at: .value(layer: layer), on: text)
    let norms = Self.valueNorms(pair.model(side), values, layer: layer, head: head)
    let weights = places.map { place in
      place.keys.map { pattern[place.query, head * longest + $0 - place.start] }
    }
    plain = weights.map(Self.normalised)
    shares = zip(weights, places).map { weights, place in
      Self.normalised(zip(weights, place.keys).map { $0 * norms[$1] })
    }
  }

  private static func normalised(_ weights: [Float]) -> [Float] {
    let sum = weights.reduce(0, +)
    return sum > 0 ? weights.map { $0 / sum } : weights
  }

  /// ‖W_O v‖ of each token: how much a head writes from it.
  private static func valueNorms(
    _ model: any LanguageModel, _ values: Tensor, layer: Int, head: Int
  ) -> [Float] {
    let shape = model.shape, width = shape.headWidth
    guard let name = model.names.tensor(.attentionOutput, layer: layer) else { return [] }
    let output = model.parameters[name]
    let keyHead = head * shape.keyHeads / shape.heads
    func columns(_ tensor: Tensor, _ index: Int) -> Tensor {
      tensor.columns(index * width..<(index + 1) * width)
    }
    return matrixProduct(columns(values, keyHead), columns(output, head), transposingB: true)
      .rowNorms
  }
}

/// The Jensen-Shannon divergence of two lists of probabilities, in nats.
package func jensenShannon(probabilities p: [Float], _ q: [Float]) -> Double {
  zip(p, q).reduce(0.0) { sum, pair in
    let (a, b) = (Double(pair.0), Double(pair.1)), middle = (a + b) / 2
    func term(_ x: Double) -> Double { x > 0 ? x * logarithm(x / middle) : 0 }
    return sum + 0.5 * (term(a) + term(b))
  }
}
