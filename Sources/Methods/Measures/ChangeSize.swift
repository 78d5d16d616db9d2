internal import Diffing
internal import Tensors
internal import Transformers

/// How much one tensor changed, from its factors where it has any.
struct ChangeSize {
  let name: String
  let module: ModuleSite
  /// ‖W‖² of the base.
  let baseSquare: Double
  /// Whether it is a matrix: training decays matrices and leaves gains alone.
  let isMatrix: Bool
  /// ‖ΔW‖².
  let square: Double
  /// ⟨ΔW, W⟩.
  private let along: Double

  init(_ name: String, of pair: ModelPair) {
    self.name = name
    module = pair.base.names.module(of: name)
    isMatrix = pair.base.parameters.layout[name].shape.count == 2
    let factors = pair.factors(of: name)
    var baseSquare = 0.0, square = 0.0, along = 0.0
    for group in pair.rowGroups(of: name) {
      let base = pair.base.parameters.rows(group, of: name).tensor
      baseSquare += Double(dot(base.scalars, base.scalars))
      if let factors {
        // ⟨LR, W⟩ = ⟨L, WRᵀ⟩: the product is never formed.
        let seen = matrixProduct(base, factors.right, transposingB: true)
        along += Double(dot(factors.left.rows(at: Array(group)).scalars, seen.scalars))
      } else {
        let change = pair.change(of: name, rows: group)
        square += Double(dot(change.scalars, change.scalars))
        along += Double(dot(change.scalars, base.scalars))
      }
    }
    self.baseSquare = baseSquare
    self.square = factors?.squaredNorm ?? square
    self.along = along
  }

  /// ‖ΔW‖.
  var norm: Double { max(0, square).squareRoot() }

  /// ‖ΔW − dW‖² = ‖ΔW‖² − 2d⟨ΔW, W⟩ + d²‖W‖² of a matrix, with d what all decayed by; ‖ΔW‖² of any other tensor.
  ///
  /// 0 where no more is left than rounding of the products in single precision, and where nothing changed:
  /// what was frozen did not decay.
  func square(decay: Double) -> Double {
    guard isMatrix, decay != 0, square > 0 else { return square }
    let own = decay * decay * baseSquare
    let rest = square - 2 * decay * along + own
    return rest > 1e-5 * (square + own) ? rest : 0
  }

  /// The share of itself that each matrix lost, as a number from -½ to 0.
  ///
  /// The median over all, so that one matrix that was scaled or silenced is a change and not decay; what lost
  /// more, or changed its sign, did not decay either.
  static func commonDecay(_ changes: [ChangeSize]) -> Double {
    let shares = changes.filter { $0.isMatrix && $0.baseSquare > 0 }
      .map { $0.along / $0.baseSquare }.sorted()
    let median = shares.isEmpty ? 0 : shares[shares.count / 2]
    return (-0.5...0).contains(median) ? median : 0
  }

  /// The cosine between the tensor before and after.
  var cosine: Double {
    let after = max(0, baseSquare + 2 * along + square)
    let norms = (baseSquare * after).squareRoot()
    return norms > 0 ? (baseSquare + along) / norms : 0
  }

  /// The norm of several changes, decay apart, relative to that of their tensors.
  static func relative(_ changes: [ChangeSize], decay: Double) -> Float {
    let base = changes.reduce(0) { $0 + $1.baseSquare }
    return relative(changes.reduce(0) { $0 + $1.square(decay: decay) }, to: base)
  }

  /// ‖ΔW‖ / ‖W‖ from their squares: of what was 0 the change is as large as itself.
  static func relative(_ change: Double, to base: Double) -> Float {
    base > 0 ? Float((change / base).squareRoot()) : change > 0 ? 1 : 0
  }
}

extension ModelPair {
  /// The change of a matrix beside what all decayed by; rows that did not change were frozen.
  func change(of name: String, decay: Double) -> Tensor {
    withoutDecay(change(of: name), base.parameters[name], decay)
  }

  /// The norm of each row of that.
  func rowNorms(ofChange name: String, decay: Double) -> [Float] {
    guard factors(of: name) == nil else { return change(of: name, decay: decay).rowNorms }
    return rowGroups(of: name).flatMap { group in
      withoutDecay(
        change(of: name, rows: group), base.parameters.rows(group, of: name).tensor, decay
      ).rowNorms
    }
  }

  private func withoutDecay(_ change: Tensor, _ base: @autoclosure () -> Tensor, _ decay: Double)
    -> Tensor
  {
    guard decay != 0 else { return change }
    let moved = change.rowNorms.map { $0 > 0 ? Float(decay) : 0 }
    return change - base().scalingRows(by: moved)
  }

  /// Tensors that changed by more than being stored in 16 bits, and than the decay that all matrices have in
  /// common.
  ///
  /// Any other change has singular vectors too: those of rounding, or of the weights as they were.
  var tensorsWithDirections: Set<String> {
    let changes = base.parameters.layout.names.map { ChangeSize($0, of: self) }
    let decay = ChangeSize.commonDecay(changes)
    return Set(
      changes.filter { $0.square(decay: decay) > 0 && !isRounded($0.name) }.map(\.name))
  }

  /// Whether no number of a tensor moved by more than storing it in 16 bits moves it.
  private func isRounded(_ name: String) -> Bool {
    factors(of: name) == nil
      && rowGroups(of: name).allSatisfy { group in
        let rows = [base, finetuned].map { $0.parameters.rows(group, of: name).tensor }
        return BitAudit.isRounding(rows[0], rows[1])
      }
  }
}

/// Which numbers changed, bit for bit: the first thing to look at, and the cheapest.
struct BitAudit {
  struct TensorAudit {
    let name: String
    let count: Int
    let rows: Int
    /// Numbers whose bits differ.
    private(set) var changed = 0
    /// Rows that hold one of them.
    private(set) var changedRows = 0
    /// Whether each number moved by no more than being stored in 16 bits.
    private(set) var isRounding = true
    /// How many moved by less than each of `steps`.
    private var small = steps.map { _ in 0 }

    /// Shares of the tensor's root mean square.
    static let steps: [Float] = [1e-3, 1e-2]

    /// Shares of the numbers that moved by less than each of `steps`.
    var unmoved: [Float] { small.map { Float($0) / Float(max(1, count)) } }

    init(_ name: String, of pair: ModelPair, change: ChangeSize) {
      self.name = name
      let entry = pair.base.parameters.layout[name]
      count = entry.count
      rows = entry.rows
      let size = Float((change.baseSquare / Double(max(1, entry.count))).squareRoot())
      for group in pair.rowGroups(of: name) {
        let rows = [pair.base, pair.finetuned].map { $0.parameters.rows(group, of: name) }
        count(rows[0].tensor, rows[1].tensor, size: size)
      }
    }

    private mutating func count(_ base: Tensor, _ finetuned: Tensor, size: Float) {
      let before = base.scalars, after = finetuned.scalars
      let limits = Self.steps.map { $0 * size }
      var changed = 0, fine = 0, coarse = 0
      for row in 0..<base.rows {
        let unchanged = changed
        for index in row * base.columns..<(row + 1) * base.columns {
          let step = abs(after[index] - before[index])
          if step < limits[0] { fine += 1 }
          if step < limits[1] { coarse += 1 }
          guard before[index].bitPattern != after[index].bitPattern else { continue }
          changed += 1
        }
        if changed > unchanged { changedRows += 1 }
      }
      self.changed += changed
      small[0] += fine
      small[1] += coarse
      isRounding = isRounding && BitAudit.isRounding(base, finetuned)
    }
  }

  /// Whether no number moved by more than being stored in 16 bits: half a unit in the last place of bfloat16, or
  /// half of the smallest number of float16.
  static func isRounding(_ before: Tensor, _ after: Tensor) -> Bool {
    zip(before.scalars, after.scalars).allSatisfy { abs($1 - $0) <= max(0x1p-8 * abs($0), 0x1p-25) }
  }

  let tensors: [TensorAudit]

  init(_ pair: ModelPair, _ changes: [ChangeSize]) {
    tensors = changes.map { TensorAudit($0.name, of: pair, change: $0) }
  }

  /// What kind of edit it is, by the bits alone.
  var verdict: String {
    let touched = tensors.filter { $0.changed > 0 }
    guard let first = touched.first else { return "no number changed" }
    if touched.count == 1 { return "one tensor changed: \(first.name)" }
    if touched.allSatisfy(\.isRounding) { return "rounding only" }
    if touched.allSatisfy({ $0.changedRows * 10 <= $0.rows }) { return "a few rows changed" }
    return "\(touched.count) of \(tensors.count) tensors changed"
  }
}
