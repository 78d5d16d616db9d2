internal import Tensors

/// Where a decoder's gradients are added up; what nobody asks for is nil.
struct DecoderGradients {
  let embedding, positions, head: Matrix?
  let finalNorm: NormWeights?
  let blocks: [Block]

  /// Where those of a block go.
  struct Block {
    let attentionNorm, mlpNorm, attentionPostNorm, mlpPostNorm, queryNorm, keyNorm: NormWeights?
    let joint, output, gateUp, down: LinearGradient
  }

  /// Gradients of tensors.
  init(_ gradient: Parameters, _ parts: DecoderParts, _ needs: GradientNeeds) {
    let windows = DecoderModel.Weights(gradient, parts)
    embedding = needs.embedding ? windows.embedding : nil
    positions = windows.positions
    head = needs.head ? windows.head : nil
    finalNorm = windows.finalNorm
    blocks = (0..<parts.layers).map {
      needs.blocks[$0] ? Block(windows.block($0)) : Block(factors: nil, layer: $0, parts)
    }
  }

  /// Gradients of the factors of updates, and of nothing else.
  init(factors: Parameters, _ parts: DecoderParts) {
    (embedding, positions, head, finalNorm) = (nil, nil, nil, nil)
    blocks = (0..<parts.layers).map { Block(factors: factors, layer: $0, parts) }
  }
}

extension DecoderGradients {
  /// Gradients of no weight.
  init(nothingOf parts: DecoderParts) {
    self.init(factors: Parameters(layout: ParameterLayout([])), parts)
  }
}

extension DecoderGradients.Block {
  /// Those of all tensors of a block.
  fileprivate init(_ windows: DecoderModel.Block) {
    (attentionNorm, mlpNorm) = (windows.attentionNorm, windows.mlpNorm)
    (attentionPostNorm, mlpPostNorm) = (windows.attentionPostNorm, windows.mlpPostNorm)
    (queryNorm, keyNorm) = (windows.queryNorm, windows.keyNorm)
    joint = LinearGradient(weight: windows.joint.weight, bias: windows.jointBias)
    output = LinearGradient(weight: windows.output.weight, bias: windows.outputBias)
    gateUp = LinearGradient(weight: windows.gateUp.weight, bias: windows.gateUpBias)
    down = LinearGradient(weight: windows.down.weight, bias: windows.downBias)
  }

  /// Those of factors alone, as many as there are.
  fileprivate init(factors: Parameters?, layer: Int, _ parts: DecoderParts) {
    (attentionNorm, mlpNorm, attentionPostNorm, mlpPostNorm) = (nil, nil, nil, nil)
    (queryNorm, keyNorm) = (nil, nil)
    func gradient(_ roles: [TensorRole]) -> LinearGradient {
      LinearGradient(
        factors: roles.compactMap { role in
          factors?.factors(of: parts.tensorNames.name(role, isBias: false, layer: layer))
        })
    }
    (joint, output) = (gradient(DecoderParts.readingRoles), gradient([.attentionOutput]))
    (gateUp, down) = (gradient(parts.mlpReadingRoles), gradient([.down]))
  }
}

/// Where the gradients of a map y = x (W + L R)ᵀ + b go: of its weights, or of its updates' factors.
struct LinearGradient {
  private let weight, bias: Matrix?
  /// In the order of the map's updates.
  private let factors: [(left: Matrix, right: Matrix)]

  init(weight: Matrix, bias: Matrix?) {
    (self.weight, self.bias, factors) = (weight, bias, [])
  }

  init(factors: [(left: Matrix, right: Matrix)]) {
    (weight, bias, self.factors) = (nil, nil, factors)
  }

  /// Adds ∂W = ∂yᵀ x and ∂b = Σ ∂y; or ∂L = ∂yᵀ (x Rᵀ) and ∂R = (∂y L)ᵀ x, so that no ∂W is formed.
  func add(_ output: Matrix, _ input: Matrix, of map: LinearMap) {
    if let weight { multiply(output, input, into: weight, transposingA: true, accumulating: true) }
    if let bias { addSumOfRows(of: output, to: bias) }
    for (update, gradient) in zip(map.updates, factors) {
      multiply(
        output.columns(update.outputs), update.narrowed(input), into: gradient.left,
        transposingA: true, accumulating: true)
      multiply(
        update.narrowed(gradient: output), input, into: gradient.right, transposingA: true,
        accumulating: true)
    }
  }
}

extension Parameters {
  /// The factors of a tensor's update, where these are factors: `left` is B, and `right` is A.
  fileprivate func factors(of name: String) -> (left: Matrix, right: Matrix)? {
    guard layout.find("\(name).A") != nil else { return nil }
    return (matrix("\(name).B"), matrix("\(name).A"))
  }
}
