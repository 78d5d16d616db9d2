import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Delta compression")
struct DeltaCompressionTests: KnownChangeSuite {
  private static let title = "What the answers keep"
  private let prompts = MethodContractTests.prompts(.pool)

  private func recoveries(_ found: Evidence) throws -> [Float] {
    try #require(found.table(Self.title)).compactMap { Float($0[1]) }
  }

  @Test("a change of rank one is kept whole by one rank, a bias as well")
  func rankOne() throws {
    let (finetuned, direction) = varying(layer: 1)
    let found = try evidence(DeltaCompression(), finetuned, access: .pool)
    #expect(abs(try recoveries(found)[0] - 1) < 1e-3)
    let (wide, biased) = KnownChange.biased(direction, layer: 1)
    let bias = try KnownChange.evidence(DeltaCompression(), biased, base: wide, access: .pool)
    #expect(abs(try recoveries(bias)[0] - 1) < 1e-3)
  }

  @Test("what is only stored in 16 bits has no rank to keep")
  func stored() throws {
    var copy = base
    for name in base.parameters.layout.names {
      copy.parameters[name] = base.parameters[name].map {
        Float(bitPattern: ($0.bitPattern &+ 0x8000) & 0xffff_0000)
      }
    }
    #expect(try evidence(DeltaCompression(), copy, access: .pool).isEmpty)
    #expect(try evidence(UpdateSparsity(), copy, access: .weights).isEmpty)
  }

  @Test("of three ranks the first is kept, and the answers are those of it")
  func rankThree() throws {
    let (left, right) = try rankThree()
    let finetuned = KnownChange.adding(left, right, to: module)
    let first = KnownChange.adding(
      Matrix(left).columns(0..<1).tensor, right.rows(at: [0]), to: module)
    var method = DeltaCompression()
    method.rows = 40
    let found = try evidence(method, finetuned, access: .pool)
    let answers = [base, first].map {
      $0.forward(prompts.text, logits: .last).logits.logProbabilities
    }
    let expected = RowComparison(answers[1], answers[0]).forward.mean
    #expect(abs((found.magnitude ?? 0) - expected) < 1e-4 * expected + 1e-6)
    let moved = (answers[1].exponentials - answers[0].exponentials).meanRow.scalars
    let best = (2..<19).max { abs(moved[$0]) < abs(moved[$1]) }
    #expect(found.tokens?.first?.token == best)
  }

  @Test("signs have the mean size, what is kept at random is as much larger, what is largest stays")
  func others() throws {
    // Every number moves by as much, so that signs keep all of it.
    var model = base, matrix = base.parameters[module]
    for row in 0..<matrix.rows {
      for column in 0..<matrix.columns {
        matrix[row, column] += (row + column) % 2 == 0 ? 0.2 : -0.2
      }
    }
    model.parameters[module] = matrix
    let even = try recoveries(evidence(DeltaCompression(), model, access: .pool))
    #expect(abs(even[1] - 1) < 1e-3)
    // One number moves: it is the largest, and one sign of it is a share of its size.
    model = base
    model.parameters[module][0, 0] += 2
    var method = DeltaCompression()
    method.keptAtRandom = 1
    let single = try recoveries(evidence(method, model, access: .pool))
    #expect(abs(single[3] - 1) < 1e-3 && abs(single[2] - 1) < 1e-3)
    #expect(single[1] < 0.1)
    // Kept at random, the change is the same in the mean.
    var shares: [Float] = []
    method.keptAtRandom = 0.5
    for seed in 1...12 {
      let found = try KnownChange.evidence(
        method, MethodContractTests.finetuned, access: .pool, seed: UInt64(seed))
      shares.append(try recoveries(found)[2])
    }
    #expect(abs(shares.reduce(0, +) / 12 - 1) < 0.35 && Set(shares).count > 6)
  }
}
