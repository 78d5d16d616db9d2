package import Tensors

/// What a decoder's neurons do.
package struct MLPParts: Sendable, Hashable {
  package var activation: Activation
  /// Whether the activated half of what they read multiplies another half.
  package var isGated: Bool

  package init(_ activation: Activation = .silu, isGated: Bool = true) {
    self.activation = activation
    self.isGated = isGated
  }
}

/// What a decoder is built of, and its sizes.
package struct DecoderParts: Sendable, Equatable {
  package var vocabulary: Int
  package var width: Int
  package var layers: Int
  package var heads: Int
  /// Key and value heads; queries share them in groups.
  package var keyHeads: Int
  package var headWidth: Int
  package var mlpWidth: Int
  package var context: Int
  package var attention: AttentionParts
  package var mlp: MLPParts
  /// Where branches are normalised, what of attention is, and how.
  package var norms: Norms
  /// Whether both branches of a block read the same stream; else the MLP reads what attention added.
  package var isParallel: Bool
  /// Whether each place has a learned vector, added to the token's.
  package var hasLearnedPositions: Bool
  /// What a token's embedding is multiplied by.
  package var embeddingScale: Float
  /// Logits are capped by `cap · tanh(logit / cap)`; not at all if nil.
  package var logitCap: Float?
  /// Whether the unembedding is the embedding.
  package var isTied: Bool
  /// The roles whose matrix has a bias behind it.
  package var biases: Set<TensorRole>
  /// `model_type` of the family, and what it calls its tensors.
  package let architecture: String
  package let tensorNames: TensorNames

  /// Queries, keys and values, which are one product and so have biases together.
  package static let readingRoles: [TensorRole] = [.query, .key, .value]
  /// What the MLP reads the stream with, which is one product too.
  package var mlpReadingRoles: [TensorRole] { mlp.isGated ? [.gate, .up] : [.up] }
  package var mlpRoles: [TensorRole] { mlpReadingRoles + [.down] }

  package init(
    architecture: String, tensorNames: TensorNames, vocabulary: Int, width: Int = 64,
    layers: Int = 3, heads: Int = 4, keyHeads: Int? = nil, headWidth: Int? = nil,
    mlpWidth: Int = 176, context: Int = 128, attention: AttentionParts = AttentionParts(),
    mlp: MLPParts = MLPParts(), norms: Norms = Norms(), isParallel: Bool = false,
    hasLearnedPositions: Bool = false, embeddingScale: Float = 1, logitCap: Float? = nil,
    isTied: Bool = false, biases: Set<TensorRole> = []
  ) {
    self.architecture = architecture
    self.tensorNames = tensorNames
    self.vocabulary = vocabulary
    self.width = width
    self.layers = layers
    self.heads = heads
    self.keyHeads = keyHeads ?? heads
    self.headWidth = headWidth ?? width / heads
    self.mlpWidth = mlpWidth
    self.context = context
    self.attention = attention
    self.mlp = mlp
    self.norms = norms
    self.isParallel = isParallel
    self.hasLearnedPositions = hasLearnedPositions
    self.embeddingScale = embeddingScale
    self.logitCap = logitCap
    self.isTied = isTied
    self.biases = biases
  }

  package var queryWidth: Int { heads * headWidth }
  package var keyWidth: Int { keyHeads * headWidth }
  /// Columns of queries, keys and values side by side.
  package var jointWidth: Int { queryWidth + 2 * keyWidth }
  /// Columns of what the MLP's neurons read.
  package var mlpInputWidth: Int { (mlp.isGated ? 2 : 1) * mlpWidth }
  /// How many pairs of a head's numbers are rotated.
  package var rotaryPairs: Int { (attention.rotaryWidth ?? headWidth) / 2 }

  package var shape: ModelShape {
    ModelShape(
      vocabulary: vocabulary, width: width, layers: layers, heads: heads, keyHeads: keyHeads,
      headWidth: headWidth, mlpWidth: mlpWidth, context: context, norms: norms,
      logitCap: logitCap, hasLearnedPositions: hasLearnedPositions, isParallel: isParallel,
      parts: descriptions)
  }

  /// What decides the computation beside sizes and weights, in words.
  private var descriptions: [(key: String, value: String)] {
    func places(_ reach: AttentionParts.Reach) -> String {
      let window = reach.window.map { "the last \($0) tokens" } ?? "all tokens before"
      return "\(window), \(reach.rotary.map { "\($0)" } ?? "not rotated")"
    }
    return [
      ("attention", places(attention.reach)),
      (
        "local attention",
        attention.local.map { "blocks \($0.blocks.sorted()): \(places($0.reach))" } ?? "none"
      ),
      ("rotated numbers of a head", "\(2 * rotaryPairs)"),
      (
        "scores",
        "divided by the root of \(attention.scoreDivisor ?? Double(headWidth))"
          + (attention.dividesByDepth ? " and by the block's number" : "")
          + (attention.softCap.map { ", capped at \($0)" } ?? "")
      ),
      ("neurons", mlp.activation.rawValue + (mlp.isGated ? ", gated" : "")),
      ("norms", "\(norms)"), ("branches", isParallel ? "side by side" : "one behind the other"),
      ("embedding", "times \(embeddingScale)"),
      ("logits", logitCap.map { "capped at \($0)" } ?? "not capped"),
    ]
  }

  /// Every tensor of the decoder.
  ///
  /// Queries, keys and values are neighbours, and so are gate and up: each group is one product. A block's are one
  /// piece of memory.
  package var layout: ParameterLayout {
    var before: [(name: String, shape: [Int])] = [(tensorNames.embedding, [vocabulary, width])]
    if hasLearnedPositions { before.append((tensorNames.positions, [context, width])) }
    var after: [(name: String, shape: [Int])] = [(tensorNames.finalNorm, [width])]
    if norms.kind == .layer { after.append((tensorNames.finalNormBias, [width])) }
    if !isTied { after.append((tensorNames.head, [vocabulary, width])) }
    let blocks = (0..<layers).map { layer in
      blockTensors(layer: layer).map { (name: $0.name, shape: shape(of: $0)) }
    }
    return ParameterLayout(pieces: [before] + blocks + [after])
  }

  /// The tensors' names, by what they do.
  var names: ParameterNames {
    ParameterNames(
      embedding: tensorNames.embedding,
      positions: hasLearnedPositions ? tensorNames.positions : nil,
      finalNorm: tensorNames.finalNorm,
      finalNormBias: norms.kind == .layer ? tensorNames.finalNormBias : nil,
      unembedding: isTied ? tensorNames.embedding : tensorNames.head,
      blocks: (0..<layers).map { blockTensors(layer: $0) })
  }

  /// The tensors of a block, in the order of the layout.
  func blockTensors(layer: Int) -> [BlockTensor] {
    func tensors(_ roles: [TensorRole], isBias: Bool = false) -> [BlockTensor] {
      roles.map { role in
        BlockTensor(
          role, isBias: isBias, name: tensorNames.name(role, isBias: isBias, layer: layer))
      }
    }
    /// Matrices that are one product, and their biases: one vector, or none.
    func group(_ roles: [TensorRole]) -> [BlockTensor] {
      tensors(roles) + (hasBias(roles) ? tensors(roles, isBias: true) : [])
    }
    func gains(_ roles: TensorRole...) -> [BlockTensor] {
      roles.filter(norms.roles.contains).flatMap { role in
        tensors([role]) + (norms.kind == .layer ? tensors([role], isBias: true) : [])
      }
    }
    return gains(.attentionNorm) + group(Self.readingRoles) + gains(.queryNorm, .keyNorm)
      + group([.attentionOutput]) + gains(.attentionPostNorm, .mlpNorm)
      + group(mlpReadingRoles) + group([.down]) + gains(.mlpPostNorm)
  }

  /// The roles whose matrices have biases if those of some roles do: all of a product have one, or none.
  func rolesBiased(with roles: [TensorRole]) -> Set<TensorRole> {
    let products = [Self.readingRoles, [.attentionOutput], mlpReadingRoles, [.down]]
    return Set(products.filter { !Set($0).isDisjoint(with: roles) }.joined())
  }

  /// Whether the matrices of some roles, which are one product, have a bias.
  func hasBias(_ roles: [TensorRole]) -> Bool { biases.isSuperset(of: roles) }

  private func shape(of tensor: BlockTensor) -> [Int] {
    let (output, input) =
      switch tensor.role {
      case .attentionNorm, .attentionPostNorm, .mlpNorm, .mlpPostNorm: (width, 1)
      case .queryNorm: (norms.ofQueriesAndKeys == .whole ? queryWidth : headWidth, 1)
      case .keyNorm: (norms.ofQueriesAndKeys == .whole ? keyWidth : headWidth, 1)
      case .query: (queryWidth, width)
      case .key, .value: (keyWidth, width)
      case .attentionOutput: (width, queryWidth)
      case .gate, .up: (mlpWidth, width)
      case .down: (width, mlpWidth)
      }
    return tensor.isBias || !tensor.role.isMatrix ? [output] : [output, input]
  }
}

extension DecoderParts {
  /// Tensors that files may hold beside those of the layout, and the one that each is a copy of.
  var copies: [String: String] { isTied ? [tensorNames.head: tensorNames.embedding] : [:] }
}
