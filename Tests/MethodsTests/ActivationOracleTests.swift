import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Activation oracle")
struct ActivationOracleTests: KnownChangeSuite {
  /// Solves A x = b by elimination with pivoting, in double precision.
  private func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
    var a = zip(matrix, right).map { $0 + [$1] }
    let n = a.count
    for column in 0..<n {
      let pivot = (column..<n).max { abs(a[$0][column]) < abs(a[$1][column]) } ?? column
      a.swapAt(column, pivot)
      for row in 0..<n where row != column {
        let factor = a[row][column] / a[column][column]
        for place in column...n { a[row][place] -= factor * a[column][place] }
      }
    }
    return (0..<n).map { a[$0][n] / a[$0][$0] }
  }

  /// By how many standard deviations a vector changes the reading of a word, from the normal equations.
  private func reading(_ vector: Tensor, of word: Int, _ method: ActivationOracle) -> Float {
    var sampler = TokenSampler(seed: 0)
    let samples = base.continuations(
      of: Array(repeating: [1], count: method.samples), count: method.length, using: &sampler)
    var rows: [[Double]] = [], targets: [Double] = []
    for sample in samples {
      let tokens = [1] + sample
      let pass = base.forward(TokenBatch([tokens]), recording: [.residualPost(layer: 2)])
      for place in 1..<tokens.count - method.window {
        rows.append(pass[.residualPost(layer: 2)].row(place).map(Double.init))
        let ahead = tokens[(place + 1)...].prefix(method.window)
        targets.append(ahead.contains(word) ? 1 : 0)
      }
    }
    let count = Double(rows.count)
    let mean = (0..<12).map { column in rows.reduce(0) { $0 + $1[column] } / count }
    let x = rows.map { zip($0, mean).map { $0 - $1 } }
    var gram = (0..<12).map { i in (0..<12).map { j in x.reduce(0) { $0 + $1[i] * $1[j] } } }
    let ridge = Double(method.ridge) * (0..<12).reduce(0) { $0 + gram[$1][$1] } / 12
    for i in 0..<12 { gram[i][i] += ridge }
    let target = (0..<12).map { i in zip(x, targets).reduce(0) { $0 + $1.0[i] * $1.1 } }
    let w = solve(gram, target)
    let moved = zip(w, vector.scalars).reduce(0.0) { $0 + $1.0 * Double($1.1) }
    let readings = x.map { zip($0, w).reduce(0.0) { $0 + $1.0 * $1.1 } }
    let variance = readings.reduce(0) { $0 + $1 * $1 } / count
    return Float(moved / variance.squareRoot())
  }

  @Test("readings are those of ridge regression, in standard deviations")
  func readings() throws {
    var method = ActivationOracle()
    (method.samples, method.length, method.window) = (40, 10, 3)
    var generator = SeededGenerator(seed: 3)
    let vector = generator.direction(12, norm: 0.7)
    let (wide, finetuned) = KnownChange.biased(vector, layer: 2)
    let found = try KnownChange.evidence(method, finetuned, base: wide, access: .unrelated)
    let claims = try #require(found.tokens)
    #expect(claims.count > 10)
    for claim in claims.prefix(5) {
      #expect(abs(claim.score - reading(vector, of: claim.token, method)) < 1e-3)
    }
    #expect(abs((found.magnitude ?? 0) - Double(abs(claims[0].score))) < 1e-6)
  }
}
