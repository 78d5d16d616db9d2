internal import Diffing
internal import Tensors
internal import Transformers

/// The mean difference of the residual streams after one block.
struct MeanDifference {
  let layer: Int
  /// Finetuned minus base, shaped `[width]`.
  let vector: Tensor
  /// The mean norm of the base's stream there.
  let activationNorm: Float

  /// The stream that it is of.
  var site: ActivationSite { .residualPost(layer: layer) }

  /// The vector's length as a share of the stream's.
  var share: Float { vector.norm / max(activationNorm, .leastNormalMagnitude) }

  /// Steering along it; nil if it has no length.
  var steering: ProposedIntervention? {
    Decoding.steering(layer: layer, vector, activationNorm: activationNorm)
  }

  /// That after one block, over some tokens of a text.
  private static func one(
    _ pair: ModelPair, layer: Int, on text: TokenBatch, at indices: [Int]
  ) -> MeanDifference {
    let site = ActivationSite.residualPost(layer: layer)
    return MeanDifference(
      layer: layer, vector: pair.difference(at: site, on: text).rows(at: indices).meanRow,
      activationNorm: pair.activationNorm(at: site, on: text, indices))
  }

  /// That after one block, over the places at which answers are read; nil if it is no more than rounding.
  ///
  /// - Parameter depth: After which block, as a share of the depth.
  static func atAnswers(_ pair: ModelPair, _ prompts: PromptSet, depth: Double) -> MeanDifference? {
    let result = one(
      pair, layer: pair.shape.block(atDepth: depth), on: prompts.text, at: prompts.answerIndices)
    return result.vector.norm > Decoding.rounding * result.activationNorm ? result : nil
  }

  /// Those after every block, over some tokens of a text.
  static func all(_ pair: ModelPair, on text: TokenBatch, at indices: [Int]) -> [MeanDifference] {
    (0..<pair.shape.layers).map { one(pair, layer: $0, on: text, at: indices) }
  }

  /// Those after the blocks that lenses read, where they are more than rounding.
  static func readable(_ pair: ModelPair, on text: TokenBatch, at indices: [Int])
    -> [MeanDifference]
  {
    all(pair, on: text, at: indices).readable
  }
}

extension [MeanDifference] {
  /// Those of all blocks that lenses read, where they are more than rounding.
  var readable: [MeanDifference] { Decoding.readable(map(\.share)).map { self[$0] } }

  /// What each is read as, both ways.
  func exhibit(_ title: String, _ rankings: [[TokenClaim]]) -> Exhibit {
    Exhibit(
      title,
      .tokens(
        zip(self, rankings).flatMap { difference, claims in
          [
            .init("block \(difference.layer)", Decoding.top(claims, sign: 1)),
            .init("block \(difference.layer), inverse", Decoding.top(claims, sign: -1)),
          ]
        }))
  }
}

/// The base on a text, with vectors added to its stream.
struct AddedDifference {
  private let model: any LanguageModel
  private let text: TokenBatch
  private let indices: [Int]
  private let counted: [Int]
  private let streams: RecordedStreams

  /// Reads a text with nothing added; its answers too if `shifts` will compare with them.
  init(_ model: any LanguageModel, _ prompts: PromptSet, answering: Bool) {
    self.model = model
    text = prompts.text
    indices = prompts.answerIndices
    counted = prompts.countedTokens
    streams = RecordedStreams(model, on: text, logits: answering ? .at(indices) : .none)
  }

  /// What a vector does to the answers.
  struct Shift {
    /// The mean change of each token's log-probability, less the median.
    let byToken: [Float]
    /// The mean divergence of the answers, in nats.
    let divergence: Double
  }

  /// What each of some differences does to the answers if it is added after its block.
  func shifts(of differences: [MeanDifference]) -> [Shift] {
    let answers = streams.logits.logProbabilities
    let starts = differences.map {
      streams.start(behind: $0.layer, adding: $0.vector, at: counted)
    }
    return streams.figures(startingAt: starts, at: indices) { changed in
      Shift(
        byToken: centred((changed - answers).meanRow.scalars),
        divergence: rowDivergences(changed, answers).mean)
    }
  }

  /// What each of some differences becomes in the last stream: the mean Jacobian of that stream, over all tokens
  /// that it is added to and all that come after, times the difference.
  ///
  /// The Jacobian itself is never computed: it is linear in the vector, so two passes with a small step along it and
  /// against it give its product, up to the third power of the step.
  func transported(_ differences: [MeanDifference]) -> [Tensor] {
    let last = ActivationSite.residualPost(layer: model.shape.layers - 1)
    let starts = differences.flatMap { difference in
      [1, -1].map { sign in
        streams.start(
          behind: difference.layer,
          adding: difference.vector.unit.scaled(
            by: sign * Self.step * difference.activationNorm), at: counted)
      }
    }
    let means = model.forward(text, recording: [last], fromEach: starts)
      .map { $0[last].rows(at: counted).meanRow }
    return differences.indices.map { index in
      let difference = differences[index]
      let change = means[2 * index] - means[2 * index + 1]
      return change.scaled(
        by: difference.vector.norm / (2 * Self.step * difference.activationNorm))
    }
  }

  /// The step as a share of the stream: small enough to be linear, large enough to stand above rounding.
  private static let step: Float = 0.01
}
