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

  @Test("rms_norm and its gradient", arguments: oddSizes)
  func norm(width: Int) {
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
      y += zip(h, gain).map { $0 * Double($1) }
      let inner = (0..<width).reduce(0.0) { $0 + d[$1] * Double(gain[$1]) * h[$1] } / Double(width)
      for i in 0..<width {
        dgain[i] += d[i] * h[i]
        newDX[range.lowerBound + i] += r * (d[i] * Double(gain[i]) - h[i] * inner)
      }
    }
    for kernels in kernelLevels {
      let (input, scale, output) = (Unaligned(x), Unaligned(gain), Unaligned(zeros: rows * width))
      let reciprocals = Unaligned(zeros: rows)
      kernels.rms_norm(
        input.start, scale.start, Float(epsilon), rows, width, output.start, reciprocals.start)
      expectClose(output.scalars(), y.floats, tolerance: 2e-6, "output")
      let (gradient, into, gains) = (Unaligned(dy), Unaligned(dx), Unaligned(zeros: width))
      kernels.rms_norm_gradient(
        gradient.start, input.start, scale.start, reciprocals.start, rows, width, into.start,
        gains.start)
      expectClose(into.scalars(), newDX.floats, tolerance: 5e-6, "input gradient")
      expectClose(gains.scalars(), dgain.floats, tolerance: 5e-6, "gain gradient")
    }
  }

  @Test("rotate turns pairs, and back", arguments: [2, 6, 48, 74])
  func rotate(headWidth: Int) {
    let rows = Self.rows, heads = 2, half = headWidth / 2, stride = heads * headWidth + 5
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
      kernels.rotate(window.start, rows, heads, headWidth, stride, c.start, s.start, 1)
      expectClose(window.scalars(), expected, tolerance: 1e-6)
      kernels.rotate(window.start, rows, heads, headWidth, stride, c.start, s.start, -1)
      expectClose(window.scalars(), x, tolerance: 1e-6)
    }
  }

  @Test("swiglu and its gradient", arguments: oddSizes)
  func swiGLU(width: Int) {
    let rows = Self.rows
    let joint = normals(rows * 2 * width, seed: 1, deviation: 3),
      dy = normals(rows * width, seed: 2)
    var y: [Double] = [], gradient = [Double](repeating: 0, count: joint.count)
    for row in 0..<rows {
      for i in 0..<width {
        let at = row * 2 * width + i, d = Double(dy[row * width + i])
        let (g, u) = (Double(joint[at]), Double(joint[at + width]))
        let s = 1 / (1 + exp(-g))
        y.append(g * s * u)
        gradient[at] = d * u * s * (1 + g * (1 - s))
        gradient[at + width] = d * g * s
      }
    }
    for kernels in kernelLevels {
      let (input, output, d) = (Unaligned(joint), Unaligned(zeros: rows * width), Unaligned(dy))
      kernels.swiglu(input.start, rows, width, output.start)
      expectClose(output.scalars(), y.floats, tolerance: 1e-6, "output")
      kernels.swiglu_gradient(d.start, input.start, rows, width)
      expectClose(input.scalars(), gradient.floats, tolerance: 1e-6, "gradient")
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
