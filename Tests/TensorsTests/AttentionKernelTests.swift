import Tensors
import CKernels
import Foundation
import TestSupport
import Testing

@Suite("Attention at every level")
struct AttentionKernelTests {
  /// Sizes of one call and its operands.
  struct Case {
    var shape: ck_attention_shape
    let q, k, v, outputGradient: [Float]
    var patternCount: Int { shape.heads * shape.queries * shape.pattern_stride }

    init(
      _ queries: Int, of keys: Int, heads: Int, keyHeads: Int, headWidth: Int, window: Int? = nil,
      cap: Float = 0
    ) {
      shape = ck_attention_shape(
        queries: queries, keys: keys, heads: heads, key_heads: keyHeads, head_width: headWidth,
        query_stride: heads * headWidth + 3, key_stride: keyHeads * headWidth + 1,
        output_stride: heads * headWidth + 2, pattern_stride: (keys + 31) / 32 * 32,
        window: window ?? keys, scale: 1 / Float(headWidth).squareRoot(), cap: cap)
      q = normals(queries * shape.query_stride, seed: 1)
      k = normals(keys * shape.key_stride, seed: 2)
      v = normals(keys * shape.key_stride, seed: 3)
      outputGradient = normals(queries * shape.output_stride, seed: 4)
    }

    /// Output and gradients in double precision, each shaped and strided like its operand.
    var reference: (output: [Double], dq: [Double], dk: [Double], dv: [Double]) {
      let s = shape, w = s.head_width, scale = Double(s.scale)
      var output = [Double](repeating: 0, count: outputGradient.count)
      var dq = [Double](repeating: 0, count: q.count), dk = [Double](repeating: 0, count: k.count)
      var dv = dk
      for head in 0..<s.heads {
        let source = head / (s.heads / s.key_heads) * w
        for t in 0..<s.queries {
          let last = t + s.keys - s.queries, keys = max(0, last - s.window + 1)...last
          let qAt = t * s.query_stride + head * w, oAt = t * s.output_stride + head * w
          func inner(_ a: [Float], _ at: Int, _ b: [Float], _ key: Int) -> Double {
            (0..<w).reduce(0) {
              $0 + Double(a[at + $1]) * Double(b[key * s.key_stride + source + $1])
            }
          }
          let cap = Double(s.cap), raw = keys.map { inner(q, qAt, k, $0) * scale }
          let scores = cap > 0 ? raw.map { cap * tanh($0 / cap) } : raw
          let p = SoftmaxKernelTests.softmax(scores.map { Float($0) })
          let dp = keys.map { inner(outputGradient, oAt, v, $0) }
          let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
          for j in keys {
            let at = j * s.key_stride + source, index = j - keys.lowerBound
            let slope = cap > 0 ? 1 - scores[index] * scores[index] / (cap * cap) : 1
            let ds = p[index] * (dp[index] - mean) * scale * slope
            for d in 0..<w {
              output[oAt + d] += p[index] * Double(v[at + d])
              dq[qAt + d] += ds * Double(k[at + d])
              dk[at + d] += ds * Double(q[qAt + d])
              dv[at + d] += p[index] * Double(outputGradient[oAt + d])
            }
          }
        }
      }
      return (output, dq, dk, dv)
    }
  }

  static let cases: [Case] = [
    Case(1, of: 1, heads: 1, keyHeads: 1, headWidth: 8),
    Case(5, of: 5, heads: 2, keyHeads: 1, headWidth: 6),
    Case(37, of: 37, heads: 4, keyHeads: 2, headWidth: 16),
    Case(48, of: 48, heads: 2, keyHeads: 1, headWidth: 10),
    Case(3, of: 40, heads: 2, keyHeads: 2, headWidth: 24),
    Case(1, of: 65, heads: 6, keyHeads: 2, headWidth: 64),
    Case(37, of: 37, heads: 2, keyHeads: 1, headWidth: 16, window: 5),
    Case(3, of: 70, heads: 2, keyHeads: 2, headWidth: 24, window: 33),
    Case(9, of: 9, heads: 1, keyHeads: 1, headWidth: 8, window: 1),
    Case(37, of: 37, heads: 2, keyHeads: 1, headWidth: 10, cap: 0.7),
    Case(5, of: 70, heads: 4, keyHeads: 2, headWidth: 16, window: 33, cap: 2),
  ]

  @Test("attention, attention_mix and the gradient", arguments: cases.indices)
  func attention(index: Int) {
    var attention = Self.cases[index]
    let expected = attention.reference
    let scratchCount = ck_attention_scratch(attention.shape.keys, attention.shape.head_width)
    for kernels in kernelLevels {
      let (q, k, v) = (Unaligned(attention.q), Unaligned(attention.k), Unaligned(attention.v))
      let pattern = Unaligned(zeros: attention.patternCount)
      let scratch = Unaligned(zeros: scratchCount)
      let output = Unaligned(zeros: expected.output.count)
      kernels.attention(
        &attention.shape, q.start, k.start, v.start, pattern.start, output.start, scratch.start)
      expectClose(output.scalars(), expected.output.floats, tolerance: 2e-6, "output")
      let mixed = Unaligned(zeros: expected.output.count)
      kernels.attention_mix(
        &attention.shape, v.start, pattern.start, mixed.start, scratch.start)
      #expect(mixed.scalars() == output.scalars())
      let (dq, dk, dv) = (
        Unaligned(zeros: q.scalars().count), Unaligned(zeros: k.scalars().count),
        Unaligned(zeros: v.scalars().count)
      )
      let gradient = Unaligned(attention.outputGradient)
      kernels.attention_gradient(
        &attention.shape, q.start, k.start, v.start, pattern.start, gradient.start, dq.start,
        dk.start, dv.start, scratch.start)
      // Softmax gradients cancel: with one key they are zero but for rounding.
      let least = 1e-6
      for (actual, wanted) in [(dq, expected.dq), (dk, expected.dk), (dv, expected.dv)] {
        let scale = max(wanted.map(abs).max() ?? 0, 1)
        #expect(
          zip(actual.scalars(), wanted).allSatisfy { abs(Double($0) - $1) < 5 * least * scale })
      }
      _ = (pattern.scalars(), scratch.scalars())
    }
  }
}
