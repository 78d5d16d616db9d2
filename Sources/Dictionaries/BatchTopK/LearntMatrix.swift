internal import Tensors

/// Numbers that are learnt.
struct LearntMatrix {
  let values, gradient: Matrix
  private let mean, variance: Matrix

  init(_ start: Tensor) {
    values = Matrix(start)
    func zeros() -> Matrix { Matrix(rows: start.rows, columns: start.columns) }
    (gradient, mean, variance) = (zeros(), zeros(), zeros())
  }

  func update(_ step: AdamWStep) {
    step.update(values, gradient: gradient, mean: mean, variance: variance)
  }
}
