import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Update sparsity")
struct UpdateSparsityTests: KnownChangeSuite {
  /// The base with some numbers of one matrix moved by a share of its root mean square.
  private func moved(_ count: Int, by share: Float) -> DecoderModel {
    var model = base, matrix = base.parameters[module]
    let size = matrix.norm / Float(matrix.count).squareRoot()
    for index in 0..<count {
      matrix[index / matrix.columns, index % matrix.columns] += share * size
    }
    model.parameters[module] = matrix
    return model
  }

  @Test("the share is of all numbers, and those that hardly moved do not count")
  func shares() throws {
    let all = base.parameters.layout.entries.reduce(0) { $0 + $1.count }
    let found = try evidence(UpdateSparsity(), moved(30, by: 0.02), access: .weights)
    #expect(abs((found.magnitude ?? 0) * Double(all) - 30) < 1e-3)
    #expect(found.sites?.first?.site == .mlp(layer: 1))
    #expect(found.sites?.dropFirst().allSatisfy { $0.score == 0 } == true)
    let hardly = try evidence(UpdateSparsity(), moved(30, by: 0.005), access: .weights)
    #expect(hardly.isEmpty)
    var model = moved(28, by: 0.0095)
    model.parameters[module][11, 9] += 1
    let rows = try #require(
      try evidence(UpdateSparsity(), model, access: .weights).table("Shares of the numbers"))
    let inModule = base.parameters.layout.entries
      .filter { base.names.module(of: $0.name) == .mlp(layer: 1) }.reduce(0) { $0 + $1.count }
    let row = try #require(rows.first { $0[0] == ModuleSite.mlp(layer: 1).description })
    let shares = row.dropFirst().compactMap { Float($0) }
    #expect(shares[0] == Float(inModule))
    for (found, count) in zip(shares.dropFirst(), [29, 29, 1]) {
      #expect(abs(found - Float(count) / Float(inModule)) < 1e-6)
    }
  }

  @Test(
    "of zeros every step counts, what stayed does not, and what all matrices decayed by is no move")
  func zerosAndDecay() throws {
    let (wide, biased) = KnownChange.biased(KnownChange.direction(of: 7, norm: 0.1), layer: 2)
    let found = try KnownChange.evidence(UpdateSparsity(), biased, base: wide, access: .weights)
    let all = wide.parameters.layout.entries.reduce(0) { $0 + $1.count }
    let moved = biased.parameters["model.layers.2.mlp.down_proj.bias"].scalars.count { $0 != 0 }
    #expect(abs((found.magnitude ?? 0) * Double(all) - Double(moved)) < 1e-6)
    #expect(found.sites?.first?.site == .mlp(layer: 2))
    var decayed = base
    for entry in base.parameters.layout.entries where entry.shape.count == 2 {
      decayed.parameters[entry.name] = base.parameters[entry.name].scaled(by: 0.97)
    }
    #expect(try evidence(UpdateSparsity(), decayed, access: .weights).isEmpty)
  }
}
