import CKernels
import Tensors
import Testing

/// The kernels of every instruction set that this machine has.
var kernelLevels: [ck_kernels] { (0..<ck_level_count()).map { ck_level($0).pointee } }

/// The sizes that kernels are tested at: a single number, tails, whole vectors, a vocabulary.
let oddSizes = [1, 37, 48, 515]

/// Floats at an address that is no multiple of 8 bytes, with canaries on both sides.
final class Unaligned {
  let start: UnsafeMutablePointer<Float>
  private let count: Int
  private static let canary: Float = 12345
  private static let margin = 33

  init(_ scalars: [Float]) {
    count = scalars.count
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: (count + 2 * Self.margin) * MemoryLayout<Float>.stride, alignment: 64)
    let floats = memory.initializeMemory(
      as: Float.self, repeating: Self.canary, count: count + 2 * Self.margin)
    start = floats + Self.margin
    for (index, scalar) in scalars.enumerated() { start[index] = scalar }
  }

  convenience init(zeros count: Int) { self.init([Float](repeating: 0, count: count)) }

  deinit { UnsafeMutableRawPointer(start - Self.margin).deallocate() }

  /// The numbers; expects that nothing was written beside them.
  func scalars(sourceLocation: SourceLocation = #_sourceLocation) -> [Float] {
    let margins = (1...Self.margin).flatMap { [start[-$0], start[count - 1 + $0]] }
    #expect(
      margins.allSatisfy { $0 == Self.canary }, "a kernel wrote outside its window",
      sourceLocation: sourceLocation)
    return (0..<count).map { start[$0] }
  }
}

/// Normal numbers.
func normals(_ count: Int, seed: UInt64, deviation: Double = 1) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in Float(generator.normal() * deviation) }
}

extension Sequence<Double> {
  var floats: [Float] { map { Float($0) } }
}

extension Sequence<Float> {
  var doubles: [Double] { map { Double($0) } }
}
