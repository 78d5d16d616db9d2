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
  package var normEpsilon: Float
  /// The base of the rotary frequencies, and how they are stretched.
  package var ropeTheta: Double
  package var ropeScaling: RotaryScaling
  /// How many tokens a query sees, itself included; all before it if nil.
  package var window: Int?
  /// Where branches are normalised, and what of attention is.
  package var norms: Norms
  /// Whether the unembedding is the embedding.
  package var isTied: Bool
  /// The roles whose matrix has a bias behind it.
  package var biases: Set<TensorRole>
  /// `model_type` of the family, and what it calls its tensors.
  package let architecture: String
  package let tensorNames: TensorNames

  /// Queries, keys and values, which are one product and so have biases together.
  package static let readingRoles: [TensorRole] = [.query, .key, .value]
  package static let mlpRoles: [TensorRole] = [.gate, .up, .down]

  package init(
    architecture: String, tensorNames: TensorNames, vocabulary: Int, width: Int = 64,
    layers: Int = 3, heads: Int = 4, keyHeads: Int? = nil, headWidth: Int? = nil,
    mlpWidth: Int = 176, context: Int = 128, normEpsilon: Float = 1e-5, ropeTheta: Double = 10_000,
    ropeScaling: RotaryScaling = .none, window: Int? = nil, norms: Norms = Norms(),
    isTied: Bool = false,
    biases: Set<TensorRole> = []
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
    self.normEpsilon = normEpsilon
    self.ropeTheta = ropeTheta
    self.ropeScaling = ropeScaling
    self.window = window
    self.norms = norms
    self.isTied = isTied
    self.biases = biases
  }

  package var queryWidth: Int { heads * headWidth }
  package var keyWidth: Int { keyHeads * headWidth }
  /// Columns of queries, keys and values side by side.
  package var jointWidth: Int { queryWidth + 2 * keyWidth }

  package var shape: ModelShape {
    ModelShape(
      vocabulary: vocabulary, width: width, layers: layers, heads: heads, keyHeads: keyHeads,
      headWidth: headWidth, mlpWidth: mlpWidth, context: context, normEpsilon: normEpsilon,
      ropeTheta: ropeTheta, ropeScaling: "\(ropeScaling)", window: window)
  }

  /// Every tensor under its Hugging Face name.
  ///
  /// Queries, keys and values are neighbours, and so are gate and up: each group is one product.
  package var layout: ParameterLayout {
    var tensors: [(name: String, shape: [Int])] = [
      (tensorNames.embedding, [vocabulary, width])
    ]
    for layer in 0..<layers {
      tensors += blockTensors(layer: layer).map { ($0.name, shape(of: $0)) }
    }
    tensors.append((tensorNames.finalNorm, [width]))
    if !isTied { tensors.append((tensorNames.head, [vocabulary, width])) }
    return ParameterLayout(tensors)
  }

  /// The tensors' names, by what they do.
  var names: ParameterNames {
    ParameterNames(
      embedding: tensorNames.embedding, finalNorm: tensorNames.finalNorm,
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
      tensors(roles.filter(norms.roles.contains))
    }
    return gains(.attentionNorm) + group(Self.readingRoles) + gains(.queryNorm, .keyNorm)
      + group([.attentionOutput]) + gains(.attentionPostNorm, .mlpNorm) + group([.gate, .up])
      + group([.down]) + gains(.mlpPostNorm)
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
