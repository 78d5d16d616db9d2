import Diffing
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Methods

/// Changes of the final norm, the unembedding, or both.
@Suite("Parts above the blocks")
struct PartsAboveBlocksTests: KnownChangeSuite {
  /// A model with a louder final norm, a moved row of the unembedding, or both.
  private func changed(
    norm: Bool, row: Bool, base: DecoderModel = KnownChange.base
  ) -> DecoderModel {
    var model = base
    if norm {
      let name = base.names.finalNorm
      model.parameters[name] = base.parameters[name].scaled(by: 1.5)
    }
    if row {
      var rows = base.parameters[base.names.unembedding]
      for column in 0..<rows.columns { rows[7, column] += column.isMultiple(of: 2) ? 0.5 : -0.5 }
      model.parameters[base.names.unembedding] = rows
    }
    return model
  }

  private func scores(_ evidence: Evidence) -> [ModuleSite: Float] {
    Dictionary(uniqueKeysWithValues: (evidence.sites ?? []).map { ($0.site, $0.score) })
  }

  @Test("of two changed parts each is named, with a share of its own", arguments: [0, 1])
  func both(index: Int) throws {
    let method: any DiffingMethod = index == 0 ? LogitLensDifference() : ModelStitching()
    let found = try KnownChange.evidence(method, changed(norm: true, row: true), access: .pool)
    let scores = scores(found)
    let (norm, row) = (scores[.finalNorm] ?? 0, scores[.unembedding] ?? 0)
    #expect(norm > 0 && row > 0 && norm != row)
    let first = Set((found.sites ?? []).prefix(2).map(\.site))
    #expect(first == [.finalNorm, .unembedding])
    // Alone, a part brings all of it.
    for (norm, row, site) in [(true, false, ModuleSite.finalNorm), (false, true, .unembedding)] {
      let alone = try KnownChange.evidence(method, changed(norm: norm, row: row), access: .pool)
      #expect(alone.sites?.first?.site == site)
      #expect((self.scores(alone)[site == .finalNorm ? .unembedding : .finalNorm] ?? 0) == 0)
    }
  }

  @Test("the shares of two parts sum to what they bring together")
  func sum() throws {
    let pair = try ModelPair(base: base, finetuned: changed(norm: true, row: true))
    let rows = Tensor(shape: [2, 12], scalars: (0..<24).map { Float($0 % 7) - 3 })
    // Each lens's second logit: the parts multiply, so neither order of adding them is the truth.
    func figure(_ lens: LogitLens) -> Double { Double(lens.logits(of: rows)[1, 7]) }
    let shares = pair.contributionsAboveBlocks(to: figure)
    let whole = figure(LogitLens(pair.finetuned)) - figure(LogitLens(pair.base))
    #expect(shares.map(\.0) == [.finalNorm, .unembedding])
    #expect(abs(shares.map(\.1).reduce(0, +) - whole) < 1e-4 * abs(whole))
    let normFirst = figure(LogitLens(finalNorm: pair.finetuned, unembedding: pair.base))
    #expect(abs(shares[0].1 - (normFirst - figure(LogitLens(pair.base)))) > 1e-3)
  }

  @Test("a tied embedding is named once, with what it does at both ends")
  func tied() throws {
    let tied = TinyModels.llama(layers: 3, isTied: true, deviation: 0.25)
    let model = changed(norm: false, row: true, base: tied)
    for method in [LogitLensDifference(), ModelStitching(), WeightNorm()] as [any DiffingMethod] {
      let access = method.card.access.last ?? .weights
      let found = try KnownChange.evidence(method, model, base: tied, access: access)
      let sites = (found.sites ?? []).map(\.site)
      #expect(Set(sites).count == sites.count, "\(method.card.id)")
      #expect(sites.first == .embedding, "\(method.card.id)")
    }
  }
}
