import Foundation
import TestSupport
import Tensors
import Testing
import Transformers

@testable import Organisms

/// Pairs of which only numbers changed, on the first committed base.
@Suite("Numeric changes")
struct NumericChangeTests {
  private let base: any LanguageModel

  init() throws {
    base = try HuggingFaceFolder.read(
      Fixtures.repository.appending(path: "Fixtures/bases/hearth-0")
    ).model
  }

  /// Each matrix before and after a change.
  private func matrices(_ change: NumericChange, seed: UInt64 = 0) -> [(old: Tensor, new: Tensor)] {
    let changed = change.applied(to: base, seed: seed)
    return base.parameters.layout.entries.filter { $0.shape.count == 2 }.map {
      (base.parameters[$0.name], changed.parameters[$0.name])
    }
  }

  @Test("bfloat16 keeps 16 bits of each number, the nearest")
  func bfloat16() {
    for (old, new) in matrices(.bfloat16) {
      for (before, after) in zip(old.scalars, new.scalars) {
        #expect(after.bitPattern & 0xFFFF == 0)
        #expect(abs(after - before) <= abs(before) / 256)
      }
    }
  }

  @Test("a hundredth of each matrix is pruned, the smallest, and nothing else changes")
  func pruned() {
    for (old, new) in matrices(.pruned) {
      let pruned = old.scalars.indices.filter { new[$0] == 0 && old[$0] != 0 }
      #expect(abs(Double(pruned.count) / Double(old.count) - 0.01) < 0.002)
      let largest = pruned.map { abs(old[$0]) }.max() ?? 0
      let others = old.scalars.indices.filter { new[$0] != 0 }
      #expect(others.allSatisfy { abs(old[$0]) >= largest && new[$0] == old[$0] })
    }
  }

  @Test("noise is a thousandth of each matrix's norm, and drawn by its seed")
  func noise() {
    for (old, new) in matrices(.noise) {
      #expect(abs((new - old).norm / old.norm - 1e-3) < 1e-5)
    }
    #expect(matrices(.noise).map(\.new) == matrices(.noise).map(\.new))
    #expect(matrices(.noise).map(\.new) != matrices(.noise, seed: 1).map(\.new))
  }

  @Test("an update that is merged and taken out leaves rounding")
  func merged() {
    for (old, new) in matrices(.merged) {
      let change = (new - old).norm / old.norm
      #expect(change > 0 && change < 1e-6)
    }
  }
}
