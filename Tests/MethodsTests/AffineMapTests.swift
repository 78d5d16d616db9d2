import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Affine maps")
struct AffineMapTests: KnownChangeSuite {
  @Test("an affine map is recovered, and none is needed between equal streams")
  func affine() throws {
    var generator = SeededGenerator(seed: 5)
    let inputs = Tensor(shape: [60, 4], scalars: (0..<240).map { _ in Float(generator.normal()) })
    let matrix = Tensor(shape: [4, 4], scalars: generator.direction(16, norm: 2).scalars)
    let offset = generator.direction(4)
    let outputs = matrixProduct(inputs, matrix, transposingB: true).addingToRows(offset)
    let map = try AffineMap(from: inputs, to: outputs, ridge: 1e-6)
    expectClose(map.matrix, matrix, tolerance: 1e-3)
    expectClose(map.offset, offset, tolerance: 1e-3)
    let same = try AffineMap(from: inputs, to: inputs, ridge: 0.1)
    expectClose(same.applied(to: inputs), inputs, tolerance: 1e-5)
    // Held to the identity, a strong ridge gives it.
    let held = try AffineMap(from: inputs, to: outputs, ridge: 1e6)
    #expect(cosine(held.matrix.reshaped([16]), same.matrix.reshaped([16])) > 0.999)
  }
  @Test("of fewer rows than columns the map is the same, found the shorter way")
  func wide() throws {
    var generator = SeededGenerator(seed: 6)
    let inputs = Tensor(shape: [5, 8], scalars: (0..<40).map { _ in Float(generator.normal()) })
    let outputs = Tensor(shape: [5, 8], scalars: (0..<40).map { _ in Float(generator.normal()) })
    let wide = try AffineMap(from: inputs, to: outputs, ridge: 0.3)
    // Each row three times over is as many rows as make it tall, of the same ridge.
    let tall = try AffineMap(
      from: inputs.rows(at: Array(0..<15).map { $0 % 5 }),
      to: outputs.rows(at: Array(0..<15).map { $0 % 5 }), ridge: 0.3)
    expectClose(wide.matrix, tall.matrix, tolerance: 1e-4)
    expectClose(wide.offset, tall.offset, tolerance: 1e-4)
  }
}
