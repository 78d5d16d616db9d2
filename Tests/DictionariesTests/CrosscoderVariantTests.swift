import Tensors
import Testing

@testable import Dictionaries

/// Variants of crosscoders on activations of which it is known what is in which model.
@Suite("Crosscoder variants")
struct CrosscoderVariantTests {
  private static let sides: [CrosscoderSide] = (0..<24).map {
    $0 < 16 ? .shared : $0 < 20 ? .base : .finetuned
  }

  private static let data = SyntheticActivations(
    width: 24, rows: 8000, frequencies: Array(repeating: 0.06, count: 24), sides: sides)

  private static func trained(
    _ variant: CrosscoderVariant, on data: SyntheticActivations = data, steps: Int = 1200
  ) -> BatchTopKDictionary {
    var options = BatchTopKTrainer.Options(
      latents: 60, sparsity: 2, steps: steps, batch: 256, learningRate: 3e-3)
    options.variant = variant
    var generator = SeededGenerator(seed: 3)
    return BatchTopKTrainer.train(on: data.rows, models: 2, options, using: &generator)
  }

  /// The features that latents write into a model, and how many are active.
  private func features(
    of dictionary: BatchTopKDictionary, _ model: Int, _ latents: Range<Int>,
    _ data: SyntheticActivations = data
  ) -> Set<Int> {
    let directions = dictionary.directions(of: model)
    return Set(
      latents.map { data.nearest(directions.row($0)) }.filter { $0.cosine > 0.95 }.map(\.feature))
  }

  /// How many of some latents are active in a row.
  private func active(_ codes: SparseCodes, _ latents: Range<Int>) -> Double {
    let count = codes.rows.joined().count { latents.contains($0.latent) }
    return Double(count) / Double(codes.rows.count)
  }

  @Test("which latents are whose, and how many of each a row keeps")
  func shares() {
    let dedicated = CrosscoderVariant.dedicated(share: 0.2, sparsity: 1)
    #expect(dedicated.exclusive(of: 60) == [36..<48, 48..<60])
    #expect(dedicated.telling(of: 60) == 36..<60)
    #expect(dedicated.groups(of: 60, sparsity: 8).map(\.latents) == [0..<36, 36..<48, 48..<60])
    #expect(dedicated.groups(of: 60, sparsity: 8).map(\.sparsity) == [8, 1, 1])
    let delta = CrosscoderVariant.delta(share: 0.1, sparsity: 2, weight: 1)
    #expect(delta.difference(of: 60) == 54..<60 && delta.telling(of: 60) == 54..<60)
    #expect(delta.groups(of: 60, sparsity: 8).map(\.latents) == [0..<54, 54..<60])
    #expect(delta.groups(of: 60, sparsity: 8).map(\.sparsity) == [8, 2])
    for variant in [CrosscoderVariant.batchTopK, .l1(penalty: 1)] {
      #expect(variant.exclusive(of: 60).isEmpty && variant.difference(of: 60).isEmpty)
      #expect(variant.telling(of: 60) == 0..<60)
      #expect(variant.groups(of: 60, sparsity: 8).map(\.latents) == [0..<60])
    }
  }

  @Test(
    "dedicated latents neither read nor write the other model, and find what is in theirs alone")
  func dedicated() {
    let variant = CrosscoderVariant.dedicated(share: 0.2, sparsity: 0.24)
    let dictionary = Self.trained(variant), exclusive = variant.exclusive(of: 60)
    for (model, latents) in exclusive.enumerated() {
      let other = (1 - model) * 24..<(2 - model) * 24
      for matrix in [dictionary.encoder, dictionary.decoder] {
        let part = matrix.columns(other)
        #expect(latents.allSatisfy { part.row($0).allSatisfy { $0 == 0 } })
      }
    }
    let codes = dictionary.codes(of: Self.data.rows)
    for latents in exclusive { #expect(abs(active(codes, latents) - 0.24) < 0.08) }
    #expect(abs(active(codes, 0..<36) - 2) < 0.15)
    let found = exclusive.enumerated().map { features(of: dictionary, $0, $1) }
    // Some of the features are cut up among several latents, or written by those of both models.
    #expect(found[0].intersection(16..<20).count >= 3 && found[0].isDisjoint(with: 20..<24))
    #expect(found[1].intersection(20..<24).count >= 3 && found[1].isDisjoint(with: 16..<20))
  }

  @Test("latents of the difference find what is in one model alone, and nothing that is in both")
  func delta() {
    let variant = CrosscoderVariant.delta(share: 0.25, sparsity: 0.48, weight: 1)
    let dictionary = Self.trained(variant)
    let change = dictionary.directions(of: 1) - dictionary.directions(of: 0)
    let codes = dictionary.codes(of: Self.data.rows).means()
    var named: Set<Int> = []
    for latent in variant.difference(of: 60) where codes[latent] > 0.01 {
      let direction = change.row(latent)
      let nearest = [direction, ArraySlice(direction.map { -$0 })].map(Self.data.nearest)
        .max { $0.cosine < $1.cosine }
      if let nearest, nearest.cosine > 0.9 { named.insert(nearest.feature) }
    }
    #expect(named.isSuperset(of: 16..<24) && named.isSubset(of: 16..<24))
  }

  @Test("a difference counts by the share of it that is left, however small it is")
  func smallDifference() {
    // All features are in both models, the last eight a tenth smaller in the base.
    let close = SyntheticActivations(
      width: 24, rows: 8000, frequencies: Array(repeating: 0.06, count: 24),
      sides: Array(repeating: .shared, count: 24),
      weakness: Dictionary(uniqueKeysWithValues: (16..<24).map { ($0, 0.9) }))
    let variant = CrosscoderVariant.delta(share: 0.25, sparsity: 0.48, weight: 1)
    let dictionary = Self.trained(variant, on: close), told = variant.difference(of: 60)
    let codes = dictionary.codes(of: close.rows)
    #expect(abs(active(codes, told) - 0.48) < 0.1)
    let own = SparseCodes(
      latents: 60, rows: codes.rows.map { $0.filter { told.contains($0.latent) } })
    let change = (dictionary.directions(of: 1) - dictionary.directions(of: 0))
      .scaled(by: 1 / dictionary.normalizer.scale)
    let difference = close.rows.columns(24..<48) - close.rows.columns(0..<24)
    let centred = difference.addingToRows(difference.meanRow, scaled: -1)
    let written = own.decoded(change)
    #expect(
      unexplainedVariance(written.addingToRows(written.meanRow, scaled: -1), of: centred) < 0.5)
  }

  @Test("activity that is paid for is sparse, the more the dearer")
  func penalty() {
    let active = [0.03, 1].map { (penalty: Float) in
      let dictionary = Self.trained(.l1(penalty: penalty), steps: 600)
      #expect(dictionary.thresholds.scalars.allSatisfy { $0 == 0 })
      return dictionary.codes(of: Self.data.rows).meanActive
    }
    #expect(active[1] < 0.7 * active[0] && active[1] > 0.5)
  }

  @Test("what is weak in one model, a penalty takes for absent there, and latent scaling says so")
  func artefacts() {
    // All features are in both models, the last six in the base at two fifths of their size.
    let weak = SyntheticActivations(
      width: 24, rows: 8000, frequencies: Array(repeating: 0.06, count: 24),
      sides: Array(repeating: .shared, count: 24),
      weakness: Dictionary(uniqueKeysWithValues: (18..<24).map { ($0, 0.4) }))
    func leans(_ variant: CrosscoderVariant) -> (lean: Float, error: Float) {
      let dictionary = Self.trained(variant, on: weak)
      let sides = CrosscoderSides(dictionary, on: weak.rows), own = dictionary.directions(of: 1)
      let found = (0..<60).filter {
        let nearest = weak.nearest(own.row($0))
        return sides.activeRows[$0] >= CrosscoderSides.fewestRows && nearest.cosine > 0.9
          && nearest.feature >= 18
      }
      func mean(_ values: [Float]) -> Float { values.reduce(0, +) / Float(max(1, values.count)) }
      return (mean(found.map { sides.leans[$0] }), mean(found.compactMap { sides.errorRatios[$0] }))
    }
    // Of the finetuned model's size two fifths are there: a lean of ½ (1 + 0.6).
    let kept = leans(.batchTopK), paid = leans(.l1(penalty: 3))
    #expect(abs(kept.lean - 0.8) < 0.02 && abs(kept.error - 0.4) < 0.05)
    // By the published bin it is the finetuned model's alone; what is left over says that it is not.
    #expect(paid.lean > 0.9 && paid.error > 0.4)
  }

  @Test("a dictionary that is taken further on the same activations by the same draws is the same")
  func continuing() {
    let start = Self.trained(.batchTopK, steps: 200)
    var options = BatchTopKTrainer.Options(
      latents: 60, sparsity: 2, steps: 50, batch: 256, learningRate: 1e-3)
    (options.annealing, options.thresholdStart, options.auxiliary) = (0, 0, 0)
    func further(_ rows: Tensor, seed: UInt64 = 5) -> BatchTopKDictionary {
      var generator = SeededGenerator(seed: seed)
      return BatchTopKTrainer.train(
        on: rows, models: 2, from: start, options, using: &generator)
    }
    let first = further(Self.data.rows)
    #expect(first == further(Self.data.rows) && first != start)
    #expect(first != further(Self.data.rows, seed: 6))
    #expect(first.normalizer == start.normalizer)
    // It goes on from where it was: hardly any direction turns by much.
    let turned = (0..<60).filter {
      cosine(Tensor(Array(first.decoder.row($0))), Tensor(Array(start.decoder.row($0)))) < 0.8
    }
    #expect(turned.count < 6)
  }
}

@Suite("Transcoders")
struct TranscoderTests {
  @Test("what is written need not be what is read")
  func map() {
    // Each feature that is read is written as another one, at twice its size, and a constant part besides.
    let data = SyntheticActivations(
      width: 24, rows: 6000, frequencies: Array(repeating: 0.1, count: 24))
    let turned = Tensor(
      shape: [data.rows.rows, 24],
      scalars: (0..<data.rows.rows).flatMap { row in
        (0..<24).map { 2 * data.rows[row, 23 - $0] + Float($0) }
      })
    var generator = SeededGenerator(seed: 3)
    let transcoder = BatchTopKTrainer.train(
      on: data.rows, writing: turned,
      .init(latents: 48, sparsity: 3, steps: 800, batch: 256, learningRate: 3e-3),
      using: &generator)
    let codes = transcoder.codes(of: data.rows)
    #expect(unexplainedVariance(transcoder.decoded(codes), of: turned) < 0.05)
    #expect(abs(codes.meanActive - 3) < 0.15)
    let written = (0..<48).map { latent in
      data.nearest(ArraySlice(transcoder.decoder.row(latent).reversed()))
    }
    #expect(Set(written.filter { $0.cosine > 0.95 }.map(\.feature)).count >= 20)
  }
}
