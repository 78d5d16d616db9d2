import Tensors
import Testing

@testable import Dictionaries

/// Rows that are sums of a few of some unit features, each by its own frequency, in one model or in two.
struct SyntheticActivations {
  let features: Tensor
  /// The models side by side.
  let rows: Tensor

  /// - Parameters:
  ///   - frequencies: One a feature.
  ///   - sides: The models in which each feature is.
  ///   - weakness: How much smaller features are in the base than in the finetuned model; 1 of those that are not named.
  init(
    width: Int, rows count: Int, frequencies: [Double], sides: [CrosscoderSide]? = nil,
    weakness: [Int: Float] = [:], seed: UInt64 = 7
  ) {
    var generator = SeededGenerator(seed: seed)
    let features = Tensor(
      shape: [frequencies.count, width],
      scalars: frequencies.flatMap { _ in generator.direction(width, norm: 1).scalars })
    let codes = (0..<count).map { _ in
      frequencies.indices.compactMap { latent -> SparseCodes.Entry? in
        guard generator.uniform() < frequencies[latent] else { return nil }
        return .init(latent: latent, value: 1 + Float(generator.uniform()))
      }
    }
    func model(_ absent: CrosscoderSide?) -> Tensor {
      let isBase = absent == .finetuned
      return SparseCodes(
        latents: frequencies.count,
        rows: codes.map {
          $0.filter { absent == nil || sides?[$0.latent] != absent }.map {
            .init(latent: $0.latent, value: $0.value * (isBase ? weakness[$0.latent] ?? 1 : 1))
          }
        }
      ).decoded(features)
    }
    self.features = features
    guard sides != nil else {
      rows = model(nil)
      return
    }
    let base = model(.finetuned), finetuned = model(.base)
    rows = Tensor(
      shape: [count, 2 * width],
      scalars: (0..<count).flatMap { Array(base.row($0)) + Array(finetuned.row($0)) })
  }

  /// The feature that a direction is most like, and how much.
  func nearest(_ direction: ArraySlice<Float>) -> (feature: Int, cosine: Float) {
    let cosines = (0..<features.rows).map {
      cosine(Tensor(Array(direction)), Tensor(Array(features.row($0))))
    }
    let best = cosines.indices.max { cosines[$0] < cosines[$1] } ?? 0
    return (best, cosines[best])
  }
}

@Suite("BatchTopK dictionaries")
struct BatchTopKTests {
  private static let data = SyntheticActivations(
    width: 24, rows: 6000, frequencies: Array(repeating: 0.125, count: 24))

  private static func trained(
    _ steps: Int = 800, change: (inout BatchTopKTrainer.Options) -> Void = { _ in },
    progress: (BatchTopKTrainer.Progress) -> Void = { _ in }
  ) -> BatchTopKDictionary {
    var options = BatchTopKTrainer.Options(
      latents: 48, sparsity: 3, steps: steps, batch: 256, learningRate: 3e-3)
    change(&options)
    var generator = SeededGenerator(seed: 1)
    return BatchTopKTrainer.train(
      on: data.rows, options, using: &generator, progress: progress)
  }

  private static let dictionary = trained()

  @Test("sums of few features are taken apart into them")
  func recovery() {
    let directions = Self.dictionary.directions(of: 0)
    let found = (0..<directions.rows).map { Self.data.nearest(directions.row($0)) }
    let recovered = Set(found.filter { $0.cosine > 0.98 }.map(\.feature))
    #expect(recovered.count >= 23)
    let codes = Self.dictionary.codes(of: Self.data.rows)
    #expect(unexplainedVariance(Self.dictionary.decoded(codes), of: Self.data.rows) < 0.03)
  }

  @Test("rows have as many latents as were asked for, within 5 %, and alone the same as together")
  func inference() {
    let codes = Self.dictionary.codes(of: Self.data.rows)
    #expect(abs(codes.meanActive - 3) < 0.15)
    for row in [0, 17, 401] {
      let alone = Self.dictionary.codes(of: Self.data.rows.rows(at: [row])).rows[0]
      expectAlike(alone, codes.rows[row])
    }
  }

  @Test("the same seed gives the same bytes, and another another dictionary")
  func determinism() {
    #expect(Self.trained(60) == Self.trained(60))
    var generator = SeededGenerator(seed: 2)
    let other = BatchTopKTrainer.train(
      on: Self.data.rows, .init(latents: 48, sparsity: 3, steps: 60, batch: 256),
      using: &generator)
    #expect(other != Self.trained(60, change: { $0.learningRate = 1e-3 }))
  }

  @Test("what happens at a share of a training happens in a short one")
  func shares() {
    var steps: [BatchTopKTrainer.Progress] = []
    _ = Self.trained(progress: { steps.append($0) })
    #expect(steps.map(\.step) == Array(1...800))
    // Twenty-four features leave some of 48 latents silent for a twentieth of the rows, and never all.
    #expect(steps.prefix(10).allSatisfy { $0.dead == 0 })
    #expect(steps.contains { $0.dead > 0 } && steps.allSatisfy { $0.dead <= 30 })
    #expect((steps.last?.loss ?? 1) < 0.05)
  }

  @Test("gradients are those of finite differences")
  func gradients() {
    var generator = SeededGenerator(seed: 5)
    let batch = Matrix(Self.data.rows.rows(at: Array(0..<6)))
    let state = BatchTopKState(latents: 10, width: 24, models: 2, using: &generator)
    for matrix in state.all {
      for row in 0..<matrix.values.rows {
        for column in 0..<matrix.values.columns {
          matrix.values[row, column] += 0.1 * Float(generator.uniform() - 0.5)
        }
      }
    }
    // All that is above 0 is kept, so nothing changes sides.
    func loss() -> Double {
      let outcome = state.step(
        LearningBatch(input: batch, target: batch),
        LearningStep(budgets: [LatentBudget(latents: 0..<10, count: 60)]))
      return outcome.loss * Double(batch.columns)
    }
    _ = loss()
    let gradients = state.all.map(\.gradient.tensor)
    let step: Float = 1e-3
    for (matrix, gradient) in zip(state.all, gradients) {
      for index in stride(from: 0, to: gradient.count, by: 7) {
        let (row, column) = (index / gradient.columns, index % gradient.columns)
        let start = matrix.values[row, column]
        let sides = [start + step, start - step].map { value -> Double in
          matrix.values[row, column] = value
          return loss()
        }
        matrix.values[row, column] = start
        let measured = (sides[0] - sides[1]) / Double(2 * step)
        #expect(abs(measured - Double(gradient.scalars[index])) < 2e-3 * max(1, abs(measured)))
      }
    }
  }

  @Test("a dead latent learns what is left over; without the auxiliary part it stays dead")
  func revival() {
    let batch = Matrix(
      Normalizer(Self.data.rows).normalized(Self.data.rows).rows(at: Array(0..<256)))
    func isRevived(_ weight: Float) -> Bool {
      var generator = SeededGenerator(seed: 6)
      let state = BatchTopKState(latents: 8, width: 24, models: 1, using: &generator)
      // Latent 3 is silent beside the others: of no length where it is compared.
      for column in 0..<24 { state.decoder.values[3, column] *= 1e-3 }
      for step in 1...400 {
        let outcome = state.step(
          LearningBatch(input: batch, target: batch),
          LearningStep(
            budgets: [LatentBudget(latents: 0..<8, count: 512)], dead: [3], auxiliary: weight))
        if outcome.used.contains(3) { return true }
        state.update(learningRate: 3e-3, step: step)
      }
      return false
    }
    #expect(isRevived(1 / 32) && !isRevived(0))
  }

  @Test("the least of the largest: ties come along, and nothing that is 0")
  func selection() {
    let numbers: [Float] = [3, 1, 0, 2, 2, 1e-30, 2.5]
    for (count, least) in [(1, 3), (2, 2.5), (3, 2), (4, 2), (5, 1), (6, 1e-30)] as [(Int, Float)] {
      #expect(Selection.least(ofLargest: count, of: numbers) == least)
    }
    #expect(Selection.least(ofLargest: 7, of: numbers) == 0)
    // Neighbours of one bin, infinity, and what is no number, which is never among the largest.
    let close: [Float] = [1.01, .nan, 1.02, .infinity, 1.03, -2]
    for (count, least) in [(1, Float.infinity), (2, 1.03), (3, 1.02), (4, 1.01), (5, 0)] {
      #expect(Selection.least(ofLargest: count, of: close) == least)
    }
    let kept = KeptLatents(
      Tensor(shape: [2, 3], scalars: [1, -2, 4, 3, 2, 0]), norms: [1, 1, 0.5],
      LatentBudget(latents: 0..<3, count: 2))
    #expect(
      kept.entries == [
        ActiveLatent(row: 0, latent: 2, value: 4), ActiveLatent(row: 1, latent: 0, value: 3),
        ActiveLatent(row: 1, latent: 1, value: 2),
      ])
    #expect(kept.used == [0, 1, 2] && kept.least == 2)
  }

  @Test("what is kept does not depend on the guess of where it begins")
  func guesses() {
    var generator = SeededGenerator(seed: 9)
    let activations = Tensor(
      shape: [20, 12], scalars: (0..<240).map { _ in Float(generator.uniform()) - 0.5 })
    let norms = (0..<12).map { _ in 0.5 + Float(generator.uniform()) }
    func kept(guess: Float = 0) -> KeptLatents {
      KeptLatents(
        activations, norms: norms, LatentBudget(latents: 0..<12, count: 30, guess: guess))
    }
    let plain = kept()
    #expect(plain.entries.count == 30 && plain.least > 0)
    for guess in [0.5 * plain.least, plain.least, 2 * plain.least, 100] {
      let guessed = kept(guess: guess)
      #expect(guessed.entries == plain.entries && guessed.least == plain.least)
      #expect(guessed.used == plain.used)
    }
  }

  @Test("of rows that are all alike nothing is learnt, and nothing is active")
  func alike() {
    let rows = Tensor(repeating: 3, shape: [40, 6])
    var generator = SeededGenerator(seed: 1)
    let dictionary = BatchTopKTrainer.train(
      on: rows, .init(latents: 12, sparsity: 2, steps: 20, batch: 8), using: &generator)
    #expect(dictionary.codes(of: Tensor(repeating: 5, shape: [3, 6])).meanActive == 0)
    #expect(dictionary.decoded(dictionary.codes(of: rows)) == rows)
  }

  @Test("a direction is scaled to what activations have of it where its latent is active")
  func scalings() {
    let codes = SparseCodes(
      latents: 3, rows: [[.init(latent: 0, value: 2)], [.init(latent: 0, value: 1)], []])
    let directions = Tensor(shape: [3, 2], scalars: [1, 0, 0, 0, 0, 1])
    // β = Σ f y₀ / Σ f² = (2 · 3 + 1 · 4) / 5, whatever the row has beside it and where no latent is active.
    let activations = Tensor(shape: [3, 2], scalars: [3, 7, 4, -2, 100, 100])
    #expect(codes.scalings(of: directions, to: activations) == [2, nil, nil])
    #expect(
      codes.scalings(of: directions.scaled(by: 2), to: activations) == [1, nil, nil])
  }
}

@Suite("Sides of a crosscoder")
struct CrosscoderSidesTests {
  @Test("features of one model alone are told from shared ones, at several frequencies")
  func synthetic() {
    let sides: [CrosscoderSide] = (0..<30).map { $0 < 20 ? .shared : $0 < 24 ? .base : .finetuned }
    let data = SyntheticActivations(
      width: 32, rows: 12_000, frequencies: (0..<30).map { [0.1, 0.03, 0.01][$0 % 3] },
      sides: sides)
    var generator = SeededGenerator(seed: 3)
    let crosscoder = BatchTopKTrainer.train(
      on: data.rows, models: 2,
      .init(latents: 64, sparsity: 2, steps: 2000, batch: 512, learningRate: 3e-3),
      using: &generator)
    let found = CrosscoderSides(crosscoder, on: data.rows)
    let directions = [0, 1].map(crosscoder.directions)
    var named: [CrosscoderSide: Set<Int>] = [:], missing: Set<Int> = [], wrong = 0
    for latent in 0..<64 where found.activeRows[latent] >= CrosscoderSides.fewestRows {
      let side = found.side(latent)
      let nearest = data.nearest(directions[side == .base ? 0 : 1].row(latent))
      guard nearest.cosine > 0.95 else { continue }
      named[side, default: []].insert(nearest.feature)
      if found.isMissingInBase(latent) { missing.insert(nearest.feature) }
      wrong += sides[nearest.feature] == side ? 0 : 1
    }
    #expect(wrong == 0)
    // Of thirty features some are cut up among several latents; those count as not found.
    #expect((named[.finetuned] ?? []).count >= 4 && (named[.base] ?? []).count >= 3)
    #expect((named[.shared] ?? []).count >= 12)
    #expect(missing.count >= 4 && missing.isSubset(of: named[.finetuned] ?? []))
  }

  @Test(
    "latent scaling sees what lean does not: a latent that shrank where its direction is needed")
  func shrinkage() {
    // One feature at the same size in both models, which a dictionary writes in the finetuned model alone.
    let count = 200, width = 4
    let values = (0..<count).map { $0.isMultiple(of: 2) ? Float(1) : 0 }
    let rows = Tensor(
      shape: [count, 2 * width], scalars: values.flatMap { [$0, 0, 0, 0, $0, 0, 0, 0] })
    let still = Normalizer(mean: Tensor(shape: [2 * width]), scale: 1)
    func sides(base: Float) -> CrosscoderSides {
      let decoder: [Float] = [base, 0, 0, 0, 1, 0, 0, 0]
      return CrosscoderSides(
        BatchTopKDictionary(
          models: 2, encoder: Tensor(shape: [1, 8], scalars: [0, 0, 0, 0, 1, 0, 0, 0]),
          encoderBias: Tensor(shape: [1]), decoder: Tensor(shape: [1, 8], scalars: decoder),
          decoderBias: Tensor(shape: [8]), thresholds: Tensor([0.1]), normalizer: still), on: rows)
    }
    let shrunk = sides(base: 0)
    // It leans all the way, and yet what is left over needs it as much: β is 1 in both.
    #expect(shrunk.leans == [1] && shrunk.side(0) == .finetuned)
    #expect(shrunk.errorRatios == [1] && !shrunk.isMissingInBase(0))
    #expect(shrunk.activeRows == [100])
    // Whole in both, it is explained in both: the latent's own part is what it leaves.
    let whole = sides(base: 1)
    #expect(whole.leans == [0.5] && whole.errorRatios == [1] && whole.reconstructionRatios == [1])
  }
}
