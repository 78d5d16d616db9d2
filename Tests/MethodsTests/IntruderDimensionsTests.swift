import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Intruder dimensions")
struct IntruderDimensionsTests: KnownChangeSuite {
  @Test("a direction outside of the base's span is an intruder; a louder old one is not")
  func intruders() throws {
    // The matrix is 12 by 10, so two directions are outside of its columns' span.
    let matrix = base.parameters[module]
    let decomposition = try SingularValueDecomposition(matrix)
    var generator = SeededGenerator(seed: 3)
    var outside = generator.direction(12)
    for index in 0..<10 {
      let vector = decomposition.leftVector(index)
      outside = outside - vector.scaled(by: dot(vector.scalars, outside.scalars))
    }
    let left = outside.scaled(by: 40 / outside.norm).reshaped([12, 1])
    let new = KnownChange.adding(
      left, decomposition.rightVector(9).reshaped([1, 10]), to: module)
    let found = try KnownChange.evidence(IntruderDimensions(), new, access: .weights)
    #expect(found.table("Intruders")?.first?[1] == "1")
    #expect((found.magnitude ?? 0) > 0.5)
    guard case .weights(let changes)? = found.interventions?.first else {
      Issue.record("the intruder is not proposed")
      return
    }
    #expect(
      cosine(
        try #require(changes[0].tensor(in: ModelPair(base: KnownChange.base, finetuned: new))),
        new.parameters[module] - matrix) > 0.99)
    let old = KnownChange.adding(
      decomposition.leftVector(3).scaled(by: 40).reshaped([12, 1]),
      decomposition.rightVector(3).reshaped([1, 10]), to: module)
    let none = try KnownChange.evidence(IntruderDimensions(), old, access: .weights)
    #expect(none.isEmpty)
    #expect(none.interventions == nil)
    // The published threshold on the base's first vectors alone would call it one.
    #expect(decomposition.values[3] < decomposition.values[0])
  }
}
