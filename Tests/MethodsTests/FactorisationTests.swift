import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Factorisations")
struct FactorisationTests: KnownChangeSuite {
  @Test("a product of non-negative factors is recovered, and more rounds are never worse")
  func factorisation() {
    var generator = SeededGenerator(seed: 3)
    func positive(_ shape: [Int]) -> Tensor {
      Tensor(
        shape: shape, scalars: (0..<shape[0] * shape[1]).map { _ in Float(generator.uniform()) })
    }
    let matrix = matrixProduct(positive([20, 2]), positive([2, 15]))
    let errors = [1, 10, 200].map { rounds -> Float in
      var seed = SeededGenerator(seed: 4)
      let factors = Factorisation(matrix, topics: 2, rounds: rounds, using: &seed)
      #expect(
        factors.left.scalars.allSatisfy { $0 >= 0 } && factors.right.scalars.allSatisfy { $0 >= 0 })
      return (matrixProduct(factors.left, factors.right) - matrix).norm / matrix.norm
    }
    #expect(errors[0] >= errors[1] && errors[1] >= errors[2])
    #expect(errors[2] < 0.03)
  }
}
