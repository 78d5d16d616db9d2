package import Diffing
package import Tensors
internal import Transformers

/// A decoder that learnt on the base which words follow an activation, given the difference of the two models instead.
///
/// The published oracle is a language model that was taught to answer questions about activations, among them what the text around
/// them was. What is left of it at this size is a linear map from the stream to the words of the next few places, learnt on the
/// base's own samples by ridge regression: where the lens reads the next token, it reads what comes by and by.
package struct ActivationOracle: DiffingMethod {
  package static let card = MethodCard(
    id: "activation-oracle",
    summary: "Words that a decoder of the base's activations reads in the mean difference.",
    source: "a small analogue of activation oracles (Karvonen et al., 2025, arXiv 2512.15674)",
    questions: [.whether, .what], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "largest change of a word's reading / the standard deviation of its readings in the base",
      unit: "standard deviations"))

  /// After which block, as a share of the depth.
  package var depth = 1.0
  /// The base's samples that it learns from, a quarter of them of large models, and tokens of each.
  package var samples = 768, length = 32
  /// Places ahead in which a word counts.
  package var window = 8
  /// The ridge as a share of the activations' mean variance.
  package var ridge: Float = 0.01

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    guard let difference = MeanDifference.atAnswers(pair, prompts, depth: depth) else {
      return Evidence()
    }
    let oracle = try pair.recorded(
      .base,
      OracleRequest(
        site: difference.site,
        samples: SampleRequest(continuing: starts(pair, prompts), length: length),
        window: max(1, min(window, length / 2)), ridge: ridge)
    ).get()
    let scores = oracle.readings(of: difference.vector)
    let claims = TokenClaim.ranking(scores, excluding: prompts.specialTokens)
    var evidence = Evidence()
    evidence.magnitude = claims.first.map { Double(abs($0.score)) }
    evidence.tokens = claims
    evidence.exhibits = pair.exhibits([
      .words(
        "Words that the decoder reads, standard deviations of its readings in the base", claims,
        "reading")
    ])
    return evidence
  }

  /// What the samples continue: documents, or the beginnings of texts where nothing starts a document.
  private func starts(_ pair: ModelPair, _ prompts: PromptSet) -> [[Int]] {
    (0..<pair.fewerIfLarge(samples)).map { index in
      prompts.documentStart.map { [$0] }
        ?? Array(prompts.text.row(index % prompts.text.rows).prefix(1))
    }
  }
}

/// The decoder of a model's stream at a site.
private struct OracleRequest: RecordingKey {
  let site: ActivationSite
  let samples: SampleRequest
  let window: Int
  let ridge: Float

  /// Those of sampling, and of reading the samples.
  var tokens: Int {
    samples.tokens + samples.prompts.reduce(0) { $0 + $1.count + samples.length }
  }

  func record(_ model: any LanguageModel) -> Result<WordDecoder, DecompositionError> {
    let text = TokenBatch(zip(samples.prompts, samples.record(model)).map(+))
    // Attention that finds nothing rests on a row's first token, whose stream is like no other's.
    // Only places that all of the window follows tell whether a word does.
    let places = (0..<text.rows).flatMap { Array(text.range($0).dropFirst().dropLast(window)) }
    let stream = model.forward(text, recording: [site], logits: .none)[site].rows(at: places)
    var followed = [[Int]](repeating: [], count: model.shape.vocabulary), place = 0
    for row in (0..<text.rows).map(text.row) {
      for index in row.indices.dropFirst().dropLast(window) {
        for word in Set(row[(index + 1)...].prefix(window)) { followed[word].append(place) }
        place += 1
      }
    }
    return Result { () throws(DecompositionError) in
      try WordDecoder(stream, followedBy: followed, ridge: ridge)
    }
  }
}

/// A linear map from activations to words, by ridge regression of whether each word is there.
private struct WordDecoder: Sendable {
  /// Shaped `[words, width]`, in standard deviations of each word's readings of what they were learnt from.
  private let weights: Tensor
  /// Those that followed anything.
  private let words: [Int]
  private let vocabulary: Int

  /// Fits argmin Σ‖Y − XW‖² + ρ‖W‖², X the activations less their mean.
  ///
  /// - Parameters:
  ///   - activations: Shaped `[rows, width]`.
  ///   - followed: Of each word the rows at which it is there.
  ///   - ridge: ρ as a share of the activations' mean variance times their number.
  init(_ activations: Tensor, followedBy followed: [[Int]], ridge: Float)
    throws(DecompositionError)
  {
    let x = activations.addingToRows(activations.meanRow, scaled: -1)
    let gram = matrixProduct(x, x, transposingA: true)
    let strength = max(
      max(ridge, 1e-6) * Float(gram.trace / Double(x.columns)), .leastNormalMagnitude)
    let inverse = try ridgeInverse(gram, strength: strength)
    vocabulary = followed.count
    words = followed.indices.filter { !followed[$0].isEmpty }
    let groups = words.map { followed[$0] }
    let sums = x.means(of: groups).scalingRows(by: groups.map { Float($0.count) })
    let weights = matrixProduct(sums, inverse)
    // The variance of a reading is wᵀ XᵀX w / n. By the variance of whether the word follows, which words that are hard to tell
    // have as much of, readings of nearly all plants are lost.
    let products = matrixProduct(weights, gram)
    self.weights = weights.scalingRows(
      by: words.indices.map { word in
        let square = dot(weights.row(word), products.row(word)) / Float(x.rows)
        return square > 0 ? 1 / square.squareRoot() : 0
      })
  }

  /// By how many standard deviations a change of the activations changes each word's reading; 0 where nothing is known.
  func readings(of change: Tensor) -> [Float] {
    var readings = [Float](repeating: 0, count: vocabulary)
    guard !words.isEmpty else { return readings }
    let known = matrixProduct(weights, change.reshaped([change.count, 1])).scalars
    for (word, reading) in zip(words, known) { readings[word] = reading }
    return readings
  }
}
