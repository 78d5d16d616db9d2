import Diffing
import TestSupport
import Tensors
import Testing
import Transformers

@testable import Methods

/// Lenses that send the mean difference through the rest of the base.
@Suite("Differences that are carried to the end")
struct CarriedDifferenceTests: KnownChangeSuite {
  private let prompts = MethodContractTests.prompts(.unrelated, rows: 6)

  /// A pair that differs by a vector after a block.
  private func biased(_ norm: Float, layer: Int = 1) throws -> (pair: ModelPair, vector: Tensor) {
    let vector = KnownChange.direction(of: 7, norm: norm)
    let models = KnownChange.biased(vector, layer: layer)
    return (try ModelPair(base: models.base, finetuned: models.finetuned), vector)
  }

  private func difference(_ pair: ModelPair, layer: Int) throws -> MeanDifference {
    let indices = prompts.countedTokens
    let all = MeanDifference.readable(pair, on: prompts.text, at: indices)
    return try #require(all.first { $0.layer == layer })
  }

  @Test(
    "a vector that was added is found again, and added to the base says what the finetuned model says"
  )
  func forward() throws {
    // After the last block no token reads another, row starts included, to which nothing is added.
    let (pair, vector) = try biased(3, layer: 2)
    let difference = try difference(pair, layer: 2)
    expectClose(difference.vector, vector, tolerance: 1e-5)
    let shift = try #require(
      AddedDifference(pair.base, prompts, answering: true).shifts(of: [difference]).first)
    func answers(_ side: ModelPair.Side) -> Tensor {
      pair.logProbabilities(side, on: prompts.text, at: prompts.answerIndices)
    }
    let after = answers(.finetuned), before = answers(.base)
    expectClose(shift.byToken, centred((after - before).meanRow.scalars), tolerance: 1e-4)
    let divergence = rowDivergences(after, before).mean
    #expect(abs(shift.divergence - divergence) < 1e-4 * divergence)
  }

  @Test("nothing is added to the tokens that rows start with")
  func starts() throws {
    let (pair, vector) = try biased(3)
    let streams = RecordedStreams(pair.base, on: prompts.text)
    let site = ActivationSite.residualPost(layer: 1)
    let plain = pair.base.forward(prompts.text, recording: [site])[site]
    let counted = prompts.countedTokens
    let start = streams.start(behind: 1, adding: vector, at: counted)
    guard case .replace(let stream) = start.operation else {
      Issue.record("no stream")
      return
    }
    for token in 0..<prompts.text.count {
      let moved = Tensor(Array(stream.row(token))) - Tensor(Array(plain.row(token)))
      expectClose(
        moved, counted.contains(token) ? vector : Tensor(shape: vector.shape), tolerance: 1e-5)
    }
  }

  @Test("a difference after the last block is carried nowhere")
  func last() throws {
    let (pair, _) = try biased(3)
    let difference = try difference(pair, layer: 2)
    let carried = try #require(
      AddedDifference(pair.base, prompts, answering: false).transported([difference]).first)
    expectClose(carried, difference.vector, tolerance: 1e-3)
  }

  @Test("what is carried is the sum of what each token alone carries to all that come after")
  func jacobian() throws {
    let (pair, _) = try biased(3)
    let difference = try difference(pair, layer: 1)
    let carried = try #require(
      AddedDifference(pair.base, prompts, answering: false).transported([difference]).first)
    let streams = RecordedStreams(pair.base, on: prompts.text)
    let last = ActivationSite.residualPost(layer: 2), counted = prompts.countedTokens
    let plain = pair.base.forward(prompts.text, recording: [last])[last]
    let step: Float = 0.02
    let alone = counted.map { token -> Tensor in
      let start = streams.start(
        behind: 1, adding: difference.vector.scaled(by: step), at: [token])
      let pass = pair.base.forward(
        prompts.text, recording: [last], editing: [start], logits: .none)
      return (pass[last] - plain).rows(at: counted).meanRow.scaled(by: 1 / step)
    }
    let sum = alone.reduce(Tensor(shape: carried.shape), +)
    #expect(cosine(carried, sum) > 0.999)
    #expect(abs(carried.norm / sum.norm - 1) < 0.03)
    #expect(cosine(carried, difference.vector) < 0.99)
  }

  @Test("both name the token of a vector, with its sign, and steer along it")
  func tokens() throws {
    for method in [ForwardLens(), JacobianLens()] as [any DiffingMethod] {
      for sign in [Float(1), -1] {
        let vector = KnownChange.direction(of: 7, norm: 3 * sign)
        let models = KnownChange.biased(vector, layer: 2)
        let evidence = try KnownChange.evidence(
          method, models.finetuned, base: models.base, access: .unrelated)
        let token = LogitLens(base).scores(along: vector.scaled(by: sign).reshaped([1, 12]))
          .row(0).indexOfLargest
        #expect(evidence.tokens?.first { $0.token == token }?.sign == Int(sign))
        guard case .steer(_, let proposed)? = evidence.interventions?.last else {
          Issue.record("no steering proposed")
          continue
        }
        #expect(cosine(Tensor(proposed), vector) > 0.999)
      }
    }
  }
}
