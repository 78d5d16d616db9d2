import TestSupport
import Tensors
import Testing

@testable import Dictionaries

/// Codes in dictionaries of activations, against the definition.
@Suite("ITDA")
struct ITDATests {
  private static func normals(_ rows: Int, _ columns: Int, seed: UInt64 = 1) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return Tensor(
      shape: [rows, columns],
      scalars: (0..<rows * columns).map { _ in Float(generator.normal()) })
  }

  private static func sources(_ count: Int) -> [ITDADictionary.Provenance] {
    (0..<count).map { ITDADictionary.Provenance(document: $0 / 5, position: $0 % 5) }
  }

  private static func dictionary(_ atoms: Tensor, sparsity: Int) -> ITDADictionary {
    let unit = Tensor(
      shape: atoms.shape,
      scalars: (0..<atoms.rows).flatMap { row in
        Tensor(Array(atoms.row(row))).unit.scalars
      })
    return ITDADictionary(
      atoms: unit, provenance: sources(atoms.rows),
      options: .init(sparsity: sparsity, threshold: 0.1, capacity: atoms.rows))
  }

  private static func built(
    _ rows: Tensor, batch: Int, threshold: Float = 0.3, capacity: Int = 1000, sparsity: Int = 3
  ) -> ITDADictionary {
    var builder = ITDABuilder(
      width: rows.columns, .init(sparsity: sparsity, threshold: threshold, capacity: capacity))
    let all = sources(rows.rows)
    for start in stride(from: 0, to: rows.rows, by: batch) {
      let part = Array(start..<min(start + batch, rows.rows))
      builder.read(rows.rows(at: part), from: part.map { all[$0] })
    }
    return builder.dictionary
  }

  /// Matching pursuit as it is defined: what is left of a row is kept as a row.
  private func pursued(_ row: [Float], _ atoms: Tensor, steps: Int) -> (
    coefficients: [Float], rest: [Float]
  ) {
    var rest = row, coefficients = [Float](repeating: 0, count: atoms.rows)
    for _ in 0..<steps {
      let products = (0..<atoms.rows).map { dot(rest, Array(atoms.row($0))) }
      let best = products.indices.max { abs(products[$0]) < abs(products[$1]) } ?? 0
      coefficients[best] += products[best]
      rest = zip(rest, atoms.row(best)).map { $0 - products[best] * $1 }
    }
    return (coefficients, rest)
  }

  @Test(
    "codes are those of matching pursuit, and the error is what is left", arguments: [1, 4, 12])
  func definition(steps: Int) {
    let own = Self.dictionary(Self.normals(21, 8), sparsity: steps)
    let rows = Self.normals(30, 8, seed: 2)
    let codes = own.codes(of: rows), dense = codes.dense,
      errors = own.codesAndErrors(of: rows).relativeErrors
    for row in 0..<rows.rows {
      let (expected, rest) = pursued(Array(rows.row(row)), own.atoms, steps: steps)
      expectClose(Tensor(Array(dense.row(row))), Tensor(expected), tolerance: 1e-5)
      let share = dot(rest, rest) / dot(rows.row(row), rows.row(row))
      #expect(abs(errors[row] - share) < 1e-5)
      #expect(codes.rows[row].count <= steps)
    }
    let rest = rows - own.decoded(codes)
    #expect(
      abs(
        Double(dot(rest.scalars, rest.scalars) / dot(rows.scalars, rows.scalars))
          - zip(errors, rows.rowNorms).reduce(0.0) { $0 + Double($1.0 * $1.1 * $1.1) }
          / Double(dot(rows.scalars, rows.scalars))) < 1e-5)
  }

  @Test("a row's code is the same alone and in a batch, and turns its sign with the row")
  func alone() {
    let own = Self.dictionary(Self.normals(40, 16), sparsity: 6)
    let rows = Self.normals(9, 16, seed: 3), codes = own.codes(of: rows)
    for row in 0..<9 {
      expectAlike(own.codes(of: rows.rows(at: [row])).rows[0], codes.rows[row])
    }
    let turned = own.codes(of: rows.scaled(by: -1))
    for (a, b) in zip(codes.rows, turned.rows) {
      #expect(b == a.map { .init(latent: $0.latent, value: -$0.value) })
    }
  }

  @Test("how activations are cut into batches changes nothing", arguments: [1, 7, 64])
  func batches(size: Int) {
    let rows = Self.normals(200, 12)
    #expect(Self.built(rows, batch: size) == Self.built(rows, batch: 200))
  }

  @Test("each row is explained by the atoms that were there, or is an atom")
  func threshold() {
    let rows = Self.normals(150, 10), all = Self.sources(150)
    let whole = Self.built(rows, batch: 50)
    #expect(whole.count > 10 && whole.count < 150)
    for (row, source) in all.enumerated() {
      let before = Self.built(rows.rows(at: Array(0..<row)), batch: 50)
      let error = before.codesAndErrors(of: rows.rows(at: [row])).relativeErrors[0]
      #expect((error > 0.3) == whole.provenance.contains(source))
    }
    for (atom, source) in whole.provenance.enumerated() {
      let row = source.document * 5 + source.position
      #expect(cosine(Tensor(Array(whole.atoms.row(atom))), Tensor(Array(rows.row(row)))) > 0.99999)
      #expect(abs(Tensor(Array(whole.atoms.row(atom))).norm - 1) < 1e-6)
    }
    #expect(Self.built(rows, batch: 50, threshold: 0.05).count > whole.count)
    #expect(
      Self.built(rows, batch: 50, capacity: 7)
        == Self.built(rows.rows(at: Array(0..<7)), batch: 7, capacity: 7))
  }

  @Test("a multiple of an atom is no new atom, and a row of zeros is none")
  func repeats() {
    let rows = Tensor(shape: [4, 3], scalars: [0, 0, 0, 2, 0, 0, -5, 0, 0, 0, 1, 0])
    let own = Self.built(rows, batch: 4)
    #expect(own.atoms.scalars == [1, 0, 0, 0, 1, 0])
    #expect(own.provenance.map(\.position) == [1, 3])
    #expect(own.codes(of: rows).rows.map(\.count) == [0, 1, 1, 1])
    #expect(own.codesAndErrors(of: rows).relativeErrors == [0, 0, 0, 0])
  }

  @Test("what a dictionary goes on with is what its atoms do not explain")
  func continuing() {
    var rows = Self.normals(80, 16)
    for row in 0..<80 { for column in 8..<16 { rows[row, column] = 0 } }
    let own = Self.built(rows, batch: 80, threshold: 0.05, sparsity: 8)
    var builder = ITDABuilder(continuing: own, room: 3)
    builder.read(rows, from: Self.sources(80))
    let before = builder.added.count,
      elsewhere = Self.sources(80).map {
        ITDADictionary.Provenance(document: $0.document + 100, position: $0.position)
      }
    var other = rows
    for row in [11, 30, 42, 77] { other[row, 8 + row % 5] = 4 }
    builder.read(other, from: elsewhere)
    let found = builder.added.map { ($0.document - 100) * 5 + $0.position }
    #expect(before == 0 && found == [11, 30, 42])
    #expect(builder.dictionary.count == own.count + 3 && builder.rows < 160)
    #expect(own.overlap(with: builder.dictionary) == Double(own.count) / Double(own.count + 3))
  }

  @Test("as many atoms are made as are asked for, or what the rows need", arguments: [5, 30, 90])
  func search(atoms: Int) {
    let rows = Self.normals(400, 8)
    let own = ITDADictionary(of: rows, from: Self.sources(400), atoms: atoms, sparsity: 2)
    #expect(own.count <= atoms && own.count >= atoms * 8 / 10)
    let again = Self.built(rows, batch: 400, threshold: own.options.threshold, sparsity: 2)
    #expect(again.atoms.rows(at: Array(0..<own.count)) == own.atoms)
    let few = Tensor(shape: [6, 2], scalars: [1, 0, 0, 1, 2, 0, 0, -3, 1, 0, 0, 1])
    #expect(ITDADictionary(of: few, from: Self.sources(6), atoms: atoms, sparsity: 1).count == 2)
  }

  @Test("overlap is 1 of equal dictionaries, 0 of strangers")
  func overlap() {
    let own = Self.built(Self.normals(50, 6), batch: 50)
    #expect(own.overlap(with: own) == 1)
    let stranger = ITDADictionary(
      atoms: own.atoms,
      provenance: own.provenance.map { .init(document: $0.document + 99, position: 0) },
      options: own.options)
    #expect(own.overlap(with: stranger) == 0)
    let none = Self.built(Tensor(shape: [0, 6]), batch: 1)
    #expect(none.overlap(with: none) == 1 && none.count == 0)
    #expect(none.codes(of: own.atoms).meanActive == 0)
    #expect(none.codesAndErrors(of: own.atoms).relativeErrors.allSatisfy { $0 == 1 })
  }

  @Test("sparse sums of known directions are taken apart again")
  func recovery() {
    var generator = SeededGenerator(seed: 5)
    let directions = Self.dictionary(Self.normals(20, 64, seed: 4), sparsity: 3).atoms
    let codes = SparseCodes(
      latents: 20,
      rows: (0..<400).map { row in
        row < 20
          ? [.init(latent: row, value: 3)]
          : generator.permutation(20).prefix(2).map {
            .init(latent: $0, value: 1 + Float(generator.uniform()))
          }
      })
    let own = Self.built(codes.decoded(directions), batch: 100, threshold: 0.2, sparsity: 6)
    #expect(own.count == 20)
    let rows = codes.decoded(directions), again = own.codes(of: rows)
    #expect(unexplainedVariance(own.decoded(again), of: rows) < 0.01)
    for (known, found) in zip(codes.rows, again.rows) {
      #expect(Set(known.map(\.latent)).isSubset(of: Set(found.map(\.latent))))
    }
  }
}

@Suite("Sparse codes")
struct SparseCodesTests {
  private let codes = SparseCodes(
    latents: 3,
    rows: [
      [.init(latent: 0, value: 2)], [.init(latent: 0, value: -2), .init(latent: 2, value: 1)], [],
    ])

  @Test("means are over rows, whatever their signs")
  func means() {
    #expect(codes.means() == [0, 0, 1 / 3])
    #expect(codes.means(of: abs) == [4 / 3, 0, 1 / 3])
    #expect(codes.means(over: [1]) { max(0, $0) } == [0, 0, 1])
    #expect(codes.meanActive == 1)
    #expect(codes.dense.scalars == [2, 0, 0, -2, 0, 1, 0, 0, 0])
  }

  @Test("they stand for sums of directions")
  func decoded() {
    let directions = Tensor(shape: [3, 2], scalars: [1, 0, 5, 5, 0, 3])
    #expect(codes.decoded(directions).scalars == [2, 0, -2, 3, 0, 0])
    let target = Tensor(shape: [3, 2], scalars: [2, 0, -2, 3, 0, 3])
    // About their mean (0, 2) the rows vary by 4 + 4 + 4 + 1 + 1.
    #expect(abs(unexplainedVariance(codes.decoded(directions), of: target) - 9.0 / 14) < 1e-6)
    #expect(unexplainedVariance(target, of: target) == 0)
  }
}
