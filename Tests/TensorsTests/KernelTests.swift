import Tensors
import CKernels
import Foundation
import TestSupport
import Testing

@Suite("Elementwise kernels at every level")
struct KernelTests {
  static let rows = 3

  @Test("exponential", arguments: oddSizes)
  func exponential(count: Int) {
    let x = normals(count, seed: 1, deviation: 20)
    for kernels in kernelLevels {
      let (input, output) = (Unaligned(x), Unaligned(zeros: count))
      kernels.exponential(input.start, count, output.start)
      // Relative to each number, because they lie many magnitudes apart.
      let ratios = zip(output.scalars(), x).map { Double($0) / exp(Double($1)) }
      #expect(ratios.allSatisfy { abs($0 - 1) < 3e-7 }, "\(String(cString: kernels.level))")
    }
  }

  @Test("dot, sum_of_squares and add_scaled", arguments: oddSizes + [5000])
  func vectors(count: Int) {
    let x = normals(count, seed: 1), y = normals(count, seed: 2)
    let inner = zip(x, y).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let squares = x.reduce(0.0) { $0 + Double($1) * Double($1) }
    for kernels in kernelLevels {
      let (a, b) = (Unaligned(x), Unaligned(y))
      #expect(abs(kernels.dot(a.start, b.start, count) - inner) < 1e-6 * squares)
      #expect(abs(kernels.sum_of_squares(a.start, count) - squares) < 1e-6 * squares)
      kernels.add_scaled(a.start, 0.25, count, b.start)
      expectClose(b.scalars(), zip(x, y).map { $0 * 0.25 + $1 }, tolerance: 1e-6)
    }
  }

  @Test("rms_norm and its gradient", arguments: oddSizes, [0, 1])
  func norm(width: Int, offset: Float) {
    let rows = Self.rows, epsilon = 1e-5
    let x = normals(rows * width, seed: 1), gain = normals(width, seed: 2)
    let dy = normals(rows * width, seed: 3), dx = normals(rows * width, seed: 4)
    var y: [Double] = [], newDX = dx.doubles, dgain = [Double](repeating: 0, count: width)
    for row in 0..<rows {
      let range = row * width..<(row + 1) * width
      let r =
        1
        / (x[range].reduce(0.0) { $0 + Double($1) * Double($1) } / Double(width) + epsilon)
        .squareRoot()
      let h = x[range].map { Double($0) * r }, d = dy[range].doubles
      let gain = gain.map { Double(offset + $0) }
      y += zip(h, gain).map(*)
      let inner = (0..<width).reduce(0.0) { $0 + d[$1] * gain[$1] * h[$1] } / Double(width)
      for i in 0..<width {
        dgain[i] += d[i] * h[i]
        newDX[range.lowerBound + i] += r * (d[i] * gain[i] - h[i] * inner)
      }
    }
    for kernels in kernelLevels {
      let (input, scale, output) = (Unaligned(x), Unaligned(gain), Unaligned(zeros: rows * width))
      let reciprocals = Unaligned(zeros: rows)
      kernels.rms_norm(
        input.start, scale.start, offset, Float(epsilon), rows, width, output.start,
        reciprocals.start)
      expectClose(output.scalars(), y.floats, tolerance: 2e-6, "output")
      let (gradient, into, gains) = (Unaligned(dy), Unaligned(dx), Unaligned(zeros: width))
      kernels.rms_norm_gradient(
        gradient.start, input.start, scale.start, offset, reciprocals.start, rows, width,
        into.start, gains.start)
      expectClose(into.scalars(), newDX.floats, tolerance: 5e-6, "input gradient")
      expectClose(gains.scalars(), dgain.floats, tolerance: 5e-6, "gain gradient")
    }
  }

  @Test("layer_norm and its gradient", arguments: oddSizes)
  func layerNorm(width: Int) {
    let rows = Self.rows, epsilon = 1e-5
    let x = normals(rows * width, seed: 1).map { $0 + 3 }, gain = normals(width, seed: 2)
    let bias = normals(width, seed: 5)
    let dy = normals(rows * width, seed: 3), dx = normals(rows * width, seed: 4)
    var y: [Double] = [], newDX = dx.doubles
    var dgain = [Double](repeating: 0, count: width), dbias = dgain
    for row in 0..<rows {
      let range = row * width..<(row + 1) * width, count = Double(width)
      let values = x[range].doubles, mean = values.reduce(0, +) / count
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
      let r = 1 / (variance + epsilon).squareRoot()
      let h = values.map { ($0 - mean) * r }, e = zip(dy[range], gain).map { Double($0 * $1) }
      y += (0..<width).map { h[$0] * Double(gain[$0]) + Double(bias[$0]) }
      let (shift, inner) = (e.reduce(0, +) / count, zip(e, h).map(*).reduce(0, +) / count)
      for i in 0..<width {
        dgain[i] += Double(dy[range][range.lowerBound + i]) * h[i]
        dbias[i] += Double(dy[range][range.lowerBound + i])
        newDX[range.lowerBound + i] += r * (e[i] - shift - h[i] * inner)
      }
    }
    for kernels in kernelLevels {
      let (input, scale, added) = (Unaligned(x), Unaligned(gain), Unaligned(bias))
      let (output, reciprocals) = (Unaligned(zeros: rows * width), Unaligned(zeros: rows))
      kernels.layer_norm(
        input.start, scale.start, added.start, Float(epsilon), rows, width, output.start,
        reciprocals.start)
      expectClose(output.scalars(), y.floats, tolerance: 5e-6, "output")
      let (gradient, into) = (Unaligned(dy), Unaligned(dx))
      let (gains, biases) = (Unaligned(zeros: width), Unaligned(zeros: width))
      kernels.layer_norm_gradient(
        gradient.start, input.start, scale.start, reciprocals.start, rows, width, into.start,
        gains.start, biases.start)
      expectClose(into.scalars(), newDX.floats, tolerance: 1e-5, "input gradient")
      expectClose(gains.scalars(), dgain.floats, tolerance: 1e-5, "gain gradient")
      expectClose(biases.scalars(), dbias.floats, tolerance: 1e-5, "bias gradient")
    }
  }

  @Test(
    "rotate turns pairs, and back",
    arguments: [(2, 2), (6, 6), (48, 48), (74, 74), (48, 12), (10, 2), (10, 0)])
  func rotate(headWidth: Int, turned: Int) {
    let rows = Self.rows, heads = 2, half = turned / 2, stride = heads * headWidth + 5
    let x = normals(rows * stride, seed: 1), angles = normals(rows * half, seed: 2).doubles
    var expected = x
    for row in 0..<rows {
      for head in 0..<heads {
        for i in 0..<half {
          let (c, s) = (cos(angles[row * half + i]), sin(angles[row * half + i]))
          let first = row * stride + head * headWidth + i
          let (a, b) = (Double(x[first]), Double(x[first + half]))
          expected[first] = Float(a * c - b * s)
          expected[first + half] = Float(b * c + a * s)
        }
      }
    }
    for kernels in kernelLevels {
      let window = Unaligned(x), c = Unaligned(angles.map(cos).floats),
        s = Unaligned(angles.map(sin).floats)
      kernels.rotate(window.start, rows, heads, headWidth, turned, stride, c.start, s.start, 1)
      expectClose(window.scalars(), expected, tolerance: 1e-6)
      kernels.rotate(window.start, rows, heads, headWidth, turned, stride, c.start, s.start, -1)
      expectClose(window.scalars(), x, tolerance: 1e-6)
    }
  }

  /// Each activation and its derivative, in double precision.
  static let activations:
    [(
      kind: ck_activation, value: @Sendable (Double) -> Double, slope: @Sendable (Double) -> Double
    )] =
      [
        (
          CK_SILU, { $0 / (1 + exp(-$0)) },
          {
            let s = 1 / (1 + exp(-$0)); return s * (1 + $0 * (1 - s))
          }
        ),
        (
          CK_GELU_TANH, { $0 * 0.5 * (1 + tanh(tanhInput($0))) },
          { x in
            let t = tanh(tanhInput(x)),
              inner = (2 / Double.pi).squareRoot() * (1 + 0.134145 * x * x)
            return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner
          }
        ),
        (
          CK_GELU, { $0 * 0.5 * erfc(-$0 / 2.0.squareRoot()) },
          {
            0.5 * erfc(-$0 / 2.0.squareRoot()) + $0 * exp(-$0 * $0 / 2)
              / (2 * Double.pi).squareRoot()
          }
        ),
        (CK_RELU, { max($0, 0) }, { $0 > 0 ? 1 : 0 }),
      ]

  private static func tanhInput(_ x: Double) -> Double {
    (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
  }

  @Test("activate and its gradient", arguments: oddSizes, activations.indices)
  func activate(width: Int, index: Int) {
    let (kind, value, slope) = Self.activations[index], rows = Self.rows
    for gated in [0, 1] {
      let stride = (1 + gated) * width
      let x = normals(rows * stride, seed: 1, deviation: 3), dy = normals(rows * width, seed: 2)
      var y: [Double] = [], gradient = [Double](repeating: 0, count: x.count)
      for (row, i) in (0..<rows).flatMap({ row in (0..<width).map { (row, $0) } }) {
        let at = row * stride + i, d = Double(dy[row * width + i]), g = Double(x[at])
        let u = gated == 1 ? Double(x[at + width]) : 1
        y.append(value(g) * u)
        gradient[at] = d * u * slope(g)
        if gated == 1 { gradient[at + width] = d * value(g) }
      }
      for kernels in kernelLevels {
        let (input, output, d) = (Unaligned(x), Unaligned(zeros: rows * width), Unaligned(dy))
        kernels.activate(kind, Int32(gated), input.start, rows, width, output.start)
        expectClose(output.scalars(), y.floats, tolerance: 1e-6, "output")
        kernels.activate_gradient(kind, Int32(gated), d.start, input.start, rows, width)
        expectClose(input.scalars(), gradient.floats, tolerance: 1e-6, "gradient")
      }
    }
  }

  @Test("soft_cap and its gradient", arguments: oddSizes)
  func softCap(count: Int) {
    let cap: Float = 3, dy = normals(count, seed: 2)
    // Of every size, from where tanh is the identity to where it is flat.
    let x = normals(count, seed: 1).enumerated().map { $1 * Float(pow(10, Double($0 % 6) - 4)) }
    let y = x.map { Double(cap) * tanh(Double($0) / Double(cap)) }
    for kernels in kernelLevels {
      let (input, gradient) = (Unaligned(x), Unaligned(dy))
      kernels.soft_cap(input.start, count, cap)
      // Relative to each number, small ones too.
      let ratios = zip(input.scalars(), y).map { Double($0) / $1 }
      #expect(ratios.allSatisfy { abs($0 - 1) < 5e-7 }, "\(String(cString: kernels.level))")
      kernels.soft_cap_gradient(gradient.start, input.start, count, cap)
      expectClose(
        gradient.scalars(), zip(dy, y).map { Float(Double($0) * (1 - $1 * $1 / 9)) },
        tolerance: 1e-6)
    }
  }

  @Test("adamw", arguments: oddSizes)
  func adamW(count: Int) {
    let start = normals(count, seed: 1), gradient = normals(count, seed: 2)
    let mean = normals(count, seed: 3, deviation: 0.1)
    let variance = normals(count, seed: 4, deviation: 0.1).map { $0 * $0 }
    var settings = ck_adamw_settings(
      learning_rate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0.1,
      correction1: 0.271, correction2: 0.142625, gradient_scale: 0.5)
    let expected = (0..<count).map { i in
      let g = Double(gradient[i]) * 0.5
      let m = 0.9 * Double(mean[i]) + 0.1 * g, v = 0.95 * Double(variance[i]) + 0.05 * g * g
      let update = (m / 0.271) / ((v / 0.142625).squareRoot() + 1e-8)
      return Float(Double(start[i]) * (1 - 0.01 * 0.1) - 0.01 * update)
    }
    for kernels in kernelLevels {
      let (p, g, m, v) = (
        Unaligned(start), Unaligned(gradient), Unaligned(mean), Unaligned(variance)
      )
      kernels.adamw(p.start, g.start, m.start, v.start, count, &settings)
      expectClose(p.scalars(), expected, tolerance: 1e-6)
      expectClose(m.scalars(), zip(mean, gradient).map { 0.9 * $0 + 0.05 * $1 }, tolerance: 1e-6)
      expectClose(
        v.scalars(), zip(variance, gradient).map { 0.95 * $0 + 0.0125 * $1 * $1 }, tolerance: 1e-6)
    }
  }
}
