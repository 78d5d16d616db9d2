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
      let auxiliary, least: Float
      let loss: Double
      let batch, codes: [Float]
      let weights, gradients: Parts
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
      using: &generator)
    for (matrix, numbers) in zip(state.all, expected.weights.all) { matrix.values.copy(numbers) }
    return state
  }

  private func batch(_ expected: Reference.Case) -> Tensor {
    let columns = expected.models * expected.width
    return Tensor(shape: [expected.batch.count / columns, columns], scalars: expected.batch)
  }

  @Test("loss, bound and gradients, those of dead latents included")
  func step() {
    #expect(cases.map(\.models) == [1, 2])
    for expected in cases {
      let state = state(expected), batch = batch(expected)
      let outcome = state.step(
        Matrix(batch), active: expected.active, dead: expected.dead, auxiliary: expected.auxiliary)
      #expect(abs(outcome.loss * Double(batch.columns) / expected.loss - 1) < 1e-5)
      #expect(abs(outcome.least / expected.least - 1) < 1e-5)
      for (matrix, gradient) in zip(state.all, expected.gradients.all) {
        expectClose(matrix.gradient.tensor.scalars, gradient, tolerance: 2e-5)
      }
    }
  }

  @Test("with the bound as its threshold a dictionary has the codes of the batch")
  func codes() {
    for expected in cases {
      let still = Normalizer(
        mean: Tensor(shape: [expected.models * expected.width]), scale: 1)
      let dictionary = state(expected).dictionary(threshold: 0.9999 * expected.least, still)
      expectClose(
        dictionary.codes(of: batch(expected)).dense.scalars, expected.codes, tolerance: 1e-5)
    }
  }
}
