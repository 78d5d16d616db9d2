import TestSupport
import Tensors
import Testing

@testable import Dictionaries

/// Which latents are used more, against arithmetic by hand and against chance.
@Suite("Changes of latents")
struct LatentChangesTests {
  private static func codes(_ rows: [[Float]]) -> SparseCodes {
    SparseCodes(
      latents: rows.first?.count ?? 0,
      rows: rows.map { row in
        row.indices.filter { row[$0] != 0 }.map { .init(latent: $0, value: row[$0]) }
      })
  }

  private static func changes(
    _ base: [[Float]], _ finetuned: [[Float]], documents: [[Int]]? = nil, flips: Int = 500
  ) -> LatentChanges {
    var generator = SeededGenerator(seed: 3)
    return LatentChanges(
      from: codes(base), to: codes(finetuned),
      documents: documents ?? base.indices.map { [$0] }, flips: flips, using: &generator)
  }

  private static func normals(_ rows: Int, _ columns: Int, _ generator: inout SeededGenerator)
    -> [[Float]]
  {
    (0..<rows).map { _ in (0..<columns).map { _ in Float(generator.normal()) } }
  }

  @Test("documents count alike, magnitudes are compared, and t is Student's")
  func arithmetic() {
    // By document latent 0 grows by 1, 2 and 3, latent 1 turns its sign alone.
    let base: [[Float]] = [[1, 2], [1, -2], [0, 1], [2, 0]]
    let finetuned: [[Float]] = [[-3, -2], [1, 2], [2, -1], [5, 0]]
    let own = Self.changes(base, finetuned, documents: [[0, 1], [2], [3]])
    #expect(own.byDocument.scalars == [1, 0, 2, 0, 3, 0])
    #expect(own.differences == [2, 0])
    #expect(abs(own.standardised[0] - 2 / (1 / 3.0.squareRoot()).asFloat) < 1e-5)
    #expect(own.standardised[1] == 0 && own.chances[1] == 1)
    #expect(own.sorted == [0, 1])
  }

  @Test("swapped roles turn every sign, and equal codes change nothing")
  func swapped() {
    var generator = SeededGenerator(seed: 9)
    let (a, b) = (Self.normals(20, 6, &generator), Self.normals(20, 6, &generator))
    let there = Self.changes(a, b), back = Self.changes(b, a)
    #expect(there.differences == back.differences.map(-))
    #expect(there.standardised == back.standardised.map(-))
    #expect(there.chances == back.chances)
    let same = Self.changes(a, a)
    #expect(same.differences.allSatisfy { $0 == 0 } && same.chances.allSatisfy { $0 == 1 })
    #expect(same.grown(at: 0.99).isEmpty)
  }

  @Test("what grew everywhere is named, by how sure it is; what shrank is not")
  func grown() {
    var generator = SeededGenerator(seed: 4)
    let base = Self.normals(40, 5, &generator).map { $0.map { 5 + $0 } }
    let noise = Self.normals(40, 5, &generator)
    let finetuned = base.indices.map { row in
      base[row].indices.map { base[row][$0] + 0.1 * noise[row][$0] + [0, 1, -1, 0.2, 0][$0] }
    }
    let own = Self.changes(base, finetuned)
    #expect(own.grown() == [1, 3])
    #expect(own.chances[2] == own.chances[1] && own.chances[1] == Float(1) / 501)
  }

  @Test("chances hold for all latents together, however they depend on each other")
  func chances() {
    var generator = SeededGenerator(seed: 6)
    var alarms = 0
    for _ in 0..<300 {
      var after = Self.normals(12, 10, &generator).map { $0.map { 9 + $0 } }
      // Half of the latents are one and the same.
      for row in after.indices { for column in 1..<5 { after[row][column] = after[row][0] } }
      let before = after.map { $0.map { _ in Float(9) } }
      let own = Self.changes(before, after, flips: 199)
      if own.chances.contains(where: { $0 <= 0.1 }) { alarms += 1 }
    }
    // 30 are expected, with a deviation of 5.2.
    #expect((14...46).contains(alarms), "\(alarms)")
  }
}

extension Double {
  fileprivate var asFloat: Float { Float(self) }
}
