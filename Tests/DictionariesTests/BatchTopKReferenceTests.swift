import JSON
import TestSupport
import Tensors
import Testing

@testable import Dictionaries

/// One step of an autoencoder and of a crosscoder against PyTorch's.
///
/// `Fixtures/make_dictionary_references.py` is an implementation of its own, in double precision, with autograd.
@Suite("BatchTopK against PyTorch")
struct BatchTopKReferenceTests {
  struct Reference: Decodable {
    struct Case: Decodable {
      let models, width, latents, active: Int
      let dead: [Int]
      /// Of activity, instead of a number that is kept.
      let penalty: Float?
      /// The first of the latents that explain the models' difference by themselves, how many of these are kept, and the
      /// weight of what they leave.
      let difference: Difference?
      /// The latents of one model alone, by model, as bounds.
      let exclusive: [[Int]]?
      let auxiliary, least: Float
      let loss: Double
      let batch, codes: [Float]
      let weights, gradients: Parts
    }
    struct Difference: Decodable {
      let first, active: Int
      let weight, least: Float
    }
    struct Parts: Decodable {
      let encoder, encoderBias, decoder, decoderBias: [Float]
      var all: [[Float]] { [encoder, encoderBias, decoder, decoderBias] }
    }
    let madeWith: [String: String]
    let cases: [Case]
  }

  private let cases: [Reference.Case]

  init() throws {
    cases = try JSON.decode(
      Reference.self, contentsOf: Fixtures.url("dictionaries/reference.json")
    ).cases
  }

  private func state(_ expected: Reference.Case) -> BatchTopKState {
    var generator = SeededGenerator(seed: 1)
    let state = BatchTopKState(
      latents: expected.latents, width: expected.models * expected.width, models: expected.models,
      exclusive: (expected.exclusive ?? []).map { $0[0]..<$0[1] }, using: &generator)
    for (matrix, numbers) in zip(state.all, expected.weights.all) { matrix.values.copy(numbers) }
    return state
  }

  private func batch(_ expected: Reference.Case) -> Tensor {
    let columns = expected.models * expected.width
    return Tensor(shape: [expected.batch.count / columns, columns], scalars: expected.batch)
  }

  private func outcome(_ state: BatchTopKState, _ expected: Reference.Case)
    -> BatchTopKState.Outcome
  {
    let rows = Matrix(batch(expected)), batch = LearningBatch(input: rows, target: rows)
    if let penalty = expected.penalty { return state.step(batch, penalty: penalty) }
    let first = expected.difference?.first ?? expected.latents
    var step = LearningStep(
      budgets: [LatentBudget(latents: 0..<first, count: expected.active)], dead: expected.dead,
      auxiliary: expected.auxiliary)
    if let difference = expected.difference {
      step.budgets.append(
        LatentBudget(latents: first..<expected.latents, count: difference.active))
      step.difference = (first..<expected.latents, difference.weight)
    }
    return state.step(batch, step)
  }

  @Test("loss, bounds and gradients, of each variant, those of dead latents included")
  func step() {
    #expect(cases.map(\.models) == [1, 2, 2, 2, 2])
    for expected in cases {
      let state = state(expected), outcome = outcome(state, expected)
      let entries = Double(expected.models * expected.width)
      #expect(abs(outcome.loss * entries / expected.loss - 1) < 1e-5)
      let bounds = [expected.least] + (expected.difference.map { [$0.least] } ?? [])
      for (least, bound) in zip(outcome.least, bounds) {
        #expect(abs(least - bound) <= 1e-5 * bound)
      }
      #expect(outcome.least.count == bounds.count)
      for (matrix, gradient) in zip(state.all, expected.gradients.all) {
        expectClose(matrix.gradient.tensor.scalars, gradient, tolerance: 2e-5)
      }
    }
  }

  @Test("with the bounds as its thresholds a dictionary has the codes of the batch")
  func codes() {
    for expected in cases {
      let still = Normalizer(
        mean: Tensor(shape: [expected.models * expected.width]), scale: 1)
      let first = expected.difference?.first ?? expected.latents
      let thresholds = (0..<expected.latents).map {
        0.9999 * ($0 < first ? expected.least : expected.difference?.least ?? 0)
      }
      let dictionary = state(expected).dictionary(thresholds: thresholds, [still, still])
      expectClose(
        dictionary.codes(of: batch(expected)).dense.scalars, expected.codes, tolerance: 1e-5)
    }
  }
}
