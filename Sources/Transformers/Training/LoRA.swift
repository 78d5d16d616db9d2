public import Tensors

/// Low-rank updates of chosen matrices: W + (alpha / rank) · B A (Hu et al., 2021).
public struct LoRA: Sendable {
  /// The factors, named `<tensor>.A`, shaped `[rank, input]`, and `<tensor>.B`, shaped `[output, rank]`.
  public var factors: Parameters
  /// Columns of the first factor.
  public let rank: Int
  /// The scale times the rank.
  public let alpha: Float
  /// The adapted tensors.
  public let targets: [String]

  /// What the product of the factors is multiplied by.
  public var scale: Float { alpha / Float(rank) }

  /// Creates factors whose product is zero: A uniform in ±1/√input, as PEFT draws it, B zero.
  ///
  /// - Precondition: Targets are matrices of `layout`.
  public init(
    rank: Int, alpha: Float, targets: [String], layout: ParameterLayout,
    using generator: inout SeededGenerator
  ) {
    self.init(rank: rank, alpha: alpha, targets: targets, layout: layout)
    for target in targets {
      let shape = factors.layout["\(target).A"].shape
      let bound = 1 / Double(shape[1]).squareRoot()
      factors["\(target).A"] = Tensor(
        shape: shape,
        scalars: (0..<shape[0] * shape[1]).map { _ in Float((2 * generator.uniform() - 1) * bound) }
      )
    }
  }

  /// Creates factors of zeros.
  init(rank: Int, alpha: Float, targets: [String], layout: ParameterLayout) {
    self.rank = rank
    self.alpha = alpha
    self.targets = targets
    factors = Parameters(
      layout: ParameterLayout(
        targets.flatMap { target in
          let entry = layout[target]
          return [("\(target).A", [rank, entry.columns]), ("\(target).B", [entry.rows, rank])]
        }))
  }

  /// The same with every number rounded to 16 bits, so that its file is half as large.
  package var roundedToHalves: LoRA {
    var rounded = self
    for name in factors.layout.names {
      let tensor = factors[name]
      rounded.factors[name] = Tensor(
        shape: tensor.shape, scalars: tensor.scalars.map(\.roundedToHalf))
    }
    return rounded
  }

  /// Whether every number is one of 16 bits.
  var isOfHalves: Bool {
    factors.layout.names.allSatisfy { factors[$0].scalars.allSatisfy { $0 == $0.roundedToHalf } }
  }

  /// The weights with the updates added.
  public func merged(into base: Parameters) -> Parameters {
    var merged = base
    for target in targets {
      // The scale is folded into a copy of B, which is the smaller factor.
      let b = Matrix(factors["\(target).B"].scaled(by: scale))
      multiply(
        b, factors.matrix("\(target).A"), into: merged.mutableMatrix(target), accumulating: true)
    }
    return merged
  }

  /// The gradient of the factors, given that of the merged weights: dA = s Bᵀ dW, dB = s dW Aᵀ.
  func gradient(of merged: Parameters) -> Parameters {
    var gradient = Parameters(layout: factors.layout)
    for target in targets {
      let weightGradient = merged.matrix(target)
      multiply(
        factors.matrix("\(target).B"), weightGradient, into: gradient.mutableMatrix("\(target).A"),
        transposingA: true)
      multiply(
        weightGradient, factors.matrix("\(target).A"), into: gradient.mutableMatrix("\(target).B"),
        transposingB: true)
    }
    for piece in gradient.mutablePieces() { piece.scale(by: scale) }
    return gradient
  }

  /// The gradient of the factors, given that of the factors of `adapted`, whose left one is s B: dB = s dL.
  func gradient(ofAdapted adapted: Parameters) -> Parameters {
    var gradient = Parameters(layout: factors.layout)
    for target in targets {
      gradient.mutableMatrix("\(target).A").copy(adapted.matrix("\(target).A"))
      let left = gradient.mutableMatrix("\(target).B")
      left.copy(adapted.matrix("\(target).B"))
      left.scale(by: scale)
    }
    return gradient
  }
}
