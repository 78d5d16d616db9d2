public import Tensors

/// A change of a matrix that is kept as a product of two thin ones (Hu et al., 2021).
public struct LowRankUpdate: Sendable, Equatable {
  /// Shaped `[rows, rank]`; a LoRA's scale is folded in.
  public let left: Tensor
  /// Shaped `[rank, columns]`.
  public let right: Tensor

  /// Keeps `left · right`.
  ///
  /// - Precondition: As many columns on the left as rows on the right.
  public init(left: Tensor, right: Tensor) {
    precondition(left.columns == right.rows, "The factors' ranks differ")
    self.left = left
    self.right = right
  }

  /// The change itself, shaped `[rows, columns]`.
  public var product: Tensor { matrixProduct(left, right) }

  /// The squared Frobenius norm of the product, which is never formed: Σ (LᵀL) ⊙ (R Rᵀ).
  package var squaredNorm: Double {
    let outer = matrixProduct(left, left, transposingA: true)
    let inner = matrixProduct(right, right, transposingB: true)
    return zip(outer.scalars, inner.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// The singular values and vectors of the product, which is never formed.
  ///
  /// With `left = U₁S₁V₁` and `right = U₂S₂V₂` thin decompositions, the product's is that of the
  /// small matrix `S₁V₁U₂S₂` between `U₁` and `V₂`. O((rows + columns) · rank²) time, rank values.
  ///
  /// - Throws: `DecompositionError` if a factor is not finite.
  public func decomposition() throws(DecompositionError) -> SingularValueDecomposition {
    let outer = try SingularValueDecomposition(left), inner = try SingularValueDecomposition(right)
    let core = matrixProduct(
      outer.right.scalingRows(by: outer.values.scalars),
      inner.left.transposed.scalingRows(by: inner.values.scalars).transposed)
    let middle = try SingularValueDecomposition(core)
    return SingularValueDecomposition(
      left: matrixProduct(outer.left, middle.left), values: middle.values,
      right: matrixProduct(middle.right, inner.right))
  }
}

/// A matrix that is applied to rows, with updates that are applied beside it and never added to it.
struct LinearMap {
  struct Update {
    /// The outputs that change.
    let outputs: Range<Int>
    let left, right: Matrix
  }

  /// Shaped `[outputs, inputs]`, updates not included.
  let weight: Matrix
  let updates: [Update]

  /// The part of the map that computes some of its outputs.
  func rows(_ range: Range<Int>) -> LinearMap {
    LinearMap(
      weight: weight.rows(range),
      updates: updates.compactMap { update in
        let outputs = update.outputs.clamped(to: range)
        guard !outputs.isEmpty else { return nil }
        func shifted(by start: Int) -> Range<Int> {
          outputs.lowerBound - start..<outputs.upperBound - start
        }
        return Update(
          outputs: shifted(by: range.lowerBound),
          left: update.left.rows(shifted(by: update.outputs.lowerBound)), right: update.right)
      })
  }

  /// Computes `result = input · weightᵀ`, or adds to it.
  func apply(_ input: Matrix, into result: Matrix, accumulating: Bool = false) {
    multiply(input, weight, into: result, transposingB: true, accumulating: accumulating)
    for update in updates {
      multiply(
        update.narrowed(input), update.left, into: result.columns(update.outputs),
        transposingB: true, accumulating: true)
    }
  }

  /// Computes `result = gradient · weight`, updates included: what the inputs' gradient is if that of the outputs is
  /// given.
  func applyTransposed(_ gradient: Matrix, into result: Matrix) {
    multiply(gradient, weight, into: result)
    for update in updates {
      multiply(
        update.narrowed(gradient: gradient), update.right, into: result, accumulating: true)
    }
  }
}

extension LinearMap.Update {
  /// Inputs through the first factor, shaped `[rows, rank]`.
  func narrowed(_ input: Matrix) -> Matrix {
    let narrow = Matrix(undefinedRows: input.rows, columns: right.rows)
    multiply(input, right, into: narrow, transposingB: true)
    return narrow
  }

  /// The gradient of that, given the gradient of the outputs, shaped `[rows, rank]`.
  func narrowed(gradient: Matrix) -> Matrix {
    let narrow = Matrix(undefinedRows: gradient.rows, columns: left.columns)
    multiply(gradient.columns(outputs), left, into: narrow)
    return narrow
  }
}

extension Parameters {
  /// Neighbouring tensors of equal width as one map, their updates beside it.
  func linear(_ names: [String]) -> LinearMap {
    var end = 0
    let updates = names.compactMap { name -> LinearMap.Update? in
      let outputs = end..<end + layout[name].rows
      end = outputs.upperBound
      return update(of: name).map {
        LinearMap.Update(outputs: outputs, left: Matrix($0.left), right: Matrix($0.right))
      }
    }
    return LinearMap(weight: stored(names), updates: updates)
  }
}

extension LoRA {
  /// The change of one adapted tensor.
  public func update(of target: String) -> LowRankUpdate {
    LowRankUpdate(
      left: factors["\(target).B"].scaled(by: scale), right: factors["\(target).A"])
  }

  /// The weights with the updates kept beside them: they share the base's memory.
  public func adapted(_ base: Parameters) -> Parameters {
    targets.reduce(base) { $0.updated($1, by: update(of: $1)) }
  }
}
