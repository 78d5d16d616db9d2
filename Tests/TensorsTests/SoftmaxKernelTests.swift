import Tensors
import CKernels
import Foundation
import TestSupport
import Testing

@Suite("Softmax, losses and attention at every level")
struct SoftmaxKernelTests {
  static let rows = 3

  /// Softmax in double precision.
  static func softmax(_ x: some Collection<Float>) -> [Double] {
    let top = x.map(Double.init).max() ?? 0
    let powers = x.map { exp(Double($0) - top) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  static func softmaxRows(_ x: [Float], width: Int) -> [[Double]] {
    stride(from: 0, to: x.count, by: width).map { softmax(x[$0..<$0 + width]) }
  }

  @Test("softmax and log_softmax", arguments: oddSizes)
  func softmax(width: Int) {
    let x = normals(Self.rows * width, seed: 1, deviation: 4)
    let p = Self.softmaxRows(x, width: width).flatMap { $0 }
    for kernels in kernelLevels {
      let (window, logs) = (Unaligned(x), Unaligned(x))
      kernels.softmax(window.start, Self.rows, width, width)
      expectClose(window.scalars(), p.floats, tolerance: 1e-6, "softmax")
      kernels.log_softmax(logs.start, Self.rows, width, width)
      let difference = zip(logs.scalars(), p).map { abs(Double($0) - log($1)) }.max() ?? 0
      #expect(difference < 5e-6)
    }
  }

  @Test("cross_entropy and its gradient", arguments: oddSizes)
  func crossEntropy(width: Int) {
    let x = normals(Self.rows * width, seed: 1, deviation: 4)
    let p = Self.softmaxRows(x, width: width)
    let targets: [Int32] = [0, Int32(width - 1), Int32(width / 2)], weights: [Float] = [0.5, 0, 2]
    var loss = 0.0
    var gradient = p
    for row in 0..<Self.rows {
      let weight = Double(weights[row]), target = Int(targets[row])
      if weight > 0 { loss -= weight * log(p[row][target]) }
      gradient[row][target] -= 1
      gradient[row] = gradient[row].map { $0 * weight }
    }
    for kernels in kernelLevels {
      let window = Unaligned(x)
      let result = kernels.cross_entropy(window.start, Self.rows, width, targets, weights)
      #expect(abs(result - loss) < 1e-5 * max(loss, 1))
      let actual = window.scalars(), expected = gradient.flatMap { $0 }
      #expect(zip(actual, expected).allSatisfy { abs(Double($0) - $1) < 2e-6 })
    }
  }

  @Test("divergence and its gradient", arguments: oddSizes)
  func divergence(width: Int) {
    let x = normals(Self.rows * width, seed: 1, deviation: 2)
    let p = Self.softmaxRows(x, width: width), weights: [Float] = [0.5, 0, 2]
    let q = Self.softmaxRows(normals(Self.rows * width, seed: 2), width: width)
    var loss = 0.0
    var gradient: [Double] = []
    for row in 0..<Self.rows {
      let weight = Double(weights[row])
      loss += weight * zip(q[row], p[row]).reduce(0) { $0 + $1.0 * (log($1.0) - log($1.1)) }
      gradient += zip(p[row], q[row]).map { weight * ($0 - $1) }
    }
    for kernels in kernelLevels {
      let window = Unaligned(x), targets = Unaligned(q.flatMap { $0 }.floats)
      let result = kernels.divergence(window.start, Self.rows, width, targets.start, weights)
      #expect(abs(result - loss) < 1e-5 * max(loss, 1))
      #expect(zip(window.scalars(), gradient).allSatisfy { abs(Double($0) - $1) < 2e-6 })
    }
  }
}
