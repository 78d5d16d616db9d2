internal import Diffing
internal import Tensors
internal import Transformers

/// How much one tensor changed, from its factors where it has any.
struct ChangeSize {
  let name: String
  let module: ModuleSite
  /// ‖W‖² of the base.
  let baseSquare: Double
  /// ‖ΔW‖².
  let square: Double
  /// ⟨ΔW, W⟩.
  private let along: Double

  init(_ name: String, of pair: ModelPair) {
    self.name = name
    module = pair.base.names.module(of: name)
    let base = pair.base.parameters[name]
    baseSquare = Double(dot(base.scalars, base.scalars))
    if let factors = pair.factors(of: name) {
      // ‖LR‖² = ⟨LᵀL, RRᵀ⟩ and ⟨LR, W⟩ = ⟨L, WRᵀ⟩: the product is never formed.
      let left = matrixProduct(factors.left, factors.left, transposingA: true)
      let right = matrixProduct(factors.right, factors.right, transposingB: true)
      square = Double(dot(left.scalars, right.scalars))
      let seen = matrixProduct(base, factors.right, transposingB: true)
      along = Double(dot(factors.left.scalars, seen.scalars))
    } else {
      let change = pair.change(of: name)
      square = Double(dot(change.scalars, change.scalars))
      along = Double(dot(change.scalars, base.scalars))
    }
  }

  /// ‖ΔW‖.
  var norm: Double { max(0, square).squareRoot() }

  /// ‖ΔW‖² without its component along W: weight decay shrinks everything and is evidence of nothing.
  var squareBesideDecay: Double {
    max(0, square - (baseSquare > 0 ? along * along / baseSquare : 0))
  }

  /// The cosine between the tensor before and after.
  var cosine: Double {
    let after = max(0, baseSquare + 2 * along + square)
    let norms = (baseSquare * after).squareRoot()
    return norms > 0 ? (baseSquare + along) / norms : 0
  }

  /// The norm of several changes, decay apart, relative to that of their tensors.
  static func relative(_ changes: [ChangeSize]) -> Float {
    let base = changes.reduce(0) { $0 + $1.baseSquare }
    let change = changes.reduce(0) { $0 + $1.squareBesideDecay }
    return base > 0 ? Float((change / base).squareRoot()) : change > 0 ? 1 : 0
  }
}

/// Which numbers changed, bit for bit: the first thing to look at, and the cheapest.
struct BitAudit {
  struct TensorAudit {
    let name: String
    let count: Int
    /// Numbers whose bits differ.
    let changed: Int
    /// Rows that hold one of them.
    let changedRows: Int
    let rows: Int
    /// Shares of the numbers that moved by less than 10⁻³ and 10⁻² of the tensor's root mean square.
    let unmoved: [Float]
    /// The largest change relative to the number that changed.
    let largestRatio: Float

    init(_ name: String, base: Tensor, finetuned: Tensor) {
      self.name = name
      count = base.count
      rows = base.rows
      let size = base.norm / Float(max(1, base.count)).squareRoot()
      let before = base.scalars, after = finetuned.scalars
      var changed = 0, changedRows = 0, ratio: Float = 0
      var (fine, coarse) = (0, 0)
      for row in 0..<base.rows {
        let unchanged = changed
        for index in row * base.columns..<(row + 1) * base.columns {
          let step = abs(after[index] - before[index])
          if step < 1e-3 * size { fine += 1 }
          if step < 1e-2 * size { coarse += 1 }
          guard before[index].bitPattern != after[index].bitPattern else { continue }
          changed += 1
          ratio = max(ratio, step / max(abs(before[index]), .leastNormalMagnitude))
        }
        if changed > unchanged { changedRows += 1 }
      }
      self.changed = changed
      self.changedRows = changedRows
      unmoved = [fine, coarse].map { Float($0) / Float(max(1, base.count)) }
      largestRatio = ratio
    }
  }

  let tensors: [TensorAudit]

  init(_ pair: ModelPair) {
    tensors = pair.base.parameters.layout.names.map { name in
      TensorAudit(
        name, base: pair.base.parameters[name], finetuned: pair.finetuned.parameters[name])
    }
  }

  /// What kind of edit it is, by the bits alone.
  var verdict: String {
    let touched = tensors.filter { $0.changed > 0 }
    guard let first = touched.first else { return "no number changed" }
    if touched.count == 1 { return "one tensor changed: \(first.name)" }
    // Half a unit in the last place of bfloat16, the coarsest format that checkpoints come in.
    if touched.allSatisfy({ $0.largestRatio <= 0x1p-8 }) { return "rounding only" }
    if touched.allSatisfy({ $0.changedRows * 10 <= $0.rows }) { return "a few rows changed" }
    return "\(touched.count) of \(tensors.count) tensors changed"
  }
}
