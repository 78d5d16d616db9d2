internal import Dictionaries
package import Diffing
package import Tensors
internal import Transformers

/// Sparse adapters beside the base's MLPs, learnt to write what the finetuned model's would write more.
///
/// Each one reads the stream that its MLP reads and learns the difference of both models' MLPs at the same stream, the
/// finetuned model's, so that what changed upstream does not count. The published ones are in every block, sparse by a penalty,
/// and learnt together for the finetuned model's answers; these are in a few, sparse by BatchTopK, and learnt block by block.
/// What is written at all tokens alike is a constant part, which no latent has. What attention does otherwise is in none
/// of them. A latent counts by the energy that it writes at the tokens after which an answer is read, beside the stream
/// after the last block, whatever its own block is.
package struct TranscoderAdapter: DiffingMethod {
  package static let card = MethodCard(
    id: "transcoder-adapter",
    summary:
      "Latents of sparse adapters that imitate the finetuned model's MLPs beside the base's.",
    source: "Transcoder adapters, 2026 (arXiv 2602.20904)",
    questions: [.whether, .what, .when, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "√(mean f²) ‖d‖ of the latent that writes most, over answers / mean ‖h‖",
      unit: "share of the stream's norm"))

  /// Latents for each number of an activation.
  package var expansion = 4
  /// Active latents of a token in each block, on average.
  package var sparsity = 4
  /// For each block.
  package var steps = 200
  /// Tokens of a step.
  package var batch = 256
  /// Blocks that have an adapter, evenly spread where there are more.
  package var blocks = 4
  /// Latents that are read.
  package var read = 3

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let streams = try CountedStreams(pair, prompts, depth: 1, method: Self.card.id)
    let computations = MLPComputations(pair: pair, prompts: prompts)
    let options = BatchTopKTrainer.Options(
      width: pair.shape.width, expansion: expansion, sparsity: sparsity, steps: steps,
      batch: batch)
    let layers = MLPComputations.layers(of: pair.shape.layers, atMost: blocks)
    let adapters = layers.compactMap {
      MLPAdapter(computations, layer: $0, options, using: &generator)
    }
    guard !adapters.isEmpty else { return Evidence() }
    let stacked = StackedLatents(adapters)
    let sizes = zip(
      stacked.codes.rootMeanSquares(over: streams.answers), stacked.directions.rowNorms
    ).map { $0 * $1 / streams.activationNorm }
    let claims = LatentClaims(by: sizes, stacked.directions, stacked.codes)
    guard let first = claims.order.first else { return Evidence() }
    let layer = stacked.layers[first]
    var evidence = claims.evidence(
      reading: read, of: pair,
      try CountedStreams(pair, prompts, layer: layer, method: Self.card.id),
      on: prompts)
    evidence.magnitude = Double(sizes[first])
    evidence.exhibits = pair.exhibits([
      table(claims, stacked, sizes, streams, pair, prompts.specialTokens),
      AdaptedAnswers(pair: pair, prompts: prompts, adapters: adapters).exhibit,
    ])
    return evidence
  }

  private func table(
    _ claims: LatentClaims, _ stacked: StackedLatents, _ sizes: [Float], _ streams: CountedStreams,
    _ pair: ModelPair, _ excluded: Set<Int>
  ) -> Exhibit {
    let shares = stacked.codes.activeShares(over: streams.answers)
    return claims.table(
      "\(stacked.codes.latents) latents of \(stacked.unexplained.count) adapters leave "
        + stacked.unexplained.map(rounded).joined(separator: ", ") + " of the variance",
      first: 10, of: pair, excluding: excluded,
      [
        ("block", { Float(stacked.layers[$0]) }), ("active at", { shares[$0] }),
        ("writes", { sizes[$0] }),
      ])
  }
}

/// What both models' MLPs write when they read the finetuned model's streams.
struct MLPComputations {
  let pair: ModelPair
  let prompts: PromptSet

  /// Blocks of `all`, evenly spread.
  static func layers(of all: Int, atMost most: Int) -> [Int] {
    let count = min(most, all)
    return (0..<count).map { (2 * $0 + 1) * all / (2 * count) }
  }

  /// The stream that an MLP reads, at the tokens that count.
  func input(_ layer: Int) -> Tensor {
    stream(before: layer).rows(at: prompts.countedTokens)
  }

  private func stream(before layer: Int) -> Tensor {
    pair.activations(.finetuned, at: site(before: layer), on: prompts.text)
  }

  private func site(before layer: Int) -> ActivationSite {
    pair.shape.stream(before: .mlp(layer: layer)) ?? .embedding
  }

  /// What the finetuned model's MLP writes more, at the tokens that count.
  func difference(_ layer: Int) -> Tensor {
    let site = ActivationSite.mlpOutput(layer: layer)
    let base = pair.base.forward(
      prompts.text, recording: [site],
      editing: [.patch(self.site(before: layer), with: stream(before: layer))], logits: .none)
    let own = pair.activations(.finetuned, at: site, on: prompts.text)
    return (own - base[site]).rows(at: prompts.countedTokens)
  }
}

/// An adapter of one block.
private struct MLPAdapter {
  let layer: Int
  let dictionary: BatchTopKDictionary
  let codes: SparseCodes
  let unexplained: Double

  /// Learns; nil where both MLPs do the same, or what they do otherwise is the same at every token.
  init?(
    _ computations: MLPComputations, layer: Int, _ options: BatchTopKTrainer.Options,
    using generator: inout SeededGenerator
  ) {
    let input = computations.input(layer), difference = computations.difference(layer)
    let varying = difference.addingToRows(difference.meanRow, scaled: -1)
    guard varying.rowNorms.mean > Decoding.rounding * input.rowNorms.mean else { return nil }
    self.layer = layer
    dictionary = BatchTopKTrainer.train(
      on: input, writing: difference, options, using: &generator)
    codes = dictionary.codes(of: input)
    unexplained = unexplainedVariance(dictionary.decoded(codes), of: difference)
  }

  /// What is written where no latent is active.
  func constant(rows: Int) -> Tensor {
    dictionary.decoded(
      SparseCodes(latents: dictionary.latents, rows: Array(repeating: [], count: rows)))
  }
}

/// The latents of several adapters, one after the other.
private struct StackedLatents {
  let codes: SparseCodes
  /// In the stream's own size, shaped `[latents, width]`.
  let directions: Tensor
  /// Of each latent its block.
  let layers: [Int]
  /// By adapter.
  let unexplained: [Double]

  init(_ adapters: [MLPAdapter]) {
    let own = adapters[0].codes.latents
    codes = SparseCodes(
      latents: own * adapters.count,
      rows: adapters[0].codes.rows.indices.map { row in
        adapters.enumerated().flatMap { place, adapter in
          adapter.codes.rows[row].map { .init(latent: place * own + $0.latent, value: $0.value) }
        }
      })
    directions = Tensor(
      shape: [own * adapters.count, adapters[0].dictionary.width],
      scalars: adapters.flatMap {
        $0.dictionary.decoder.scaled(by: 1 / $0.dictionary.outputNormalizer.scale).scalars
      })
    layers = adapters.flatMap { Array(repeating: $0.layer, count: own) }
    unexplained = adapters.map(\.unexplained)
  }
}

/// What the base answers with adapters beside its MLPs.
private struct AdaptedAnswers {
  let pair: ModelPair
  let prompts: PromptSet
  let adapters: [MLPAdapter]

  /// How far the answers are from the finetuned model's: with nothing, with constant parts, with all.
  var exhibit: Exhibit {
    let indices = prompts.answerIndices
    let answers = pair.logits(.finetuned, on: prompts.text, at: indices).logProbabilities
    let kinds: [(String, (MLPAdapter, Tensor) -> Tensor)] = [
      ("their constant parts", { $0.constant(rows: $1.rows) }),
      ("all latents", { $0.dictionary.decoded($0.dictionary.codes(of: $1)) }),
    ]
    let starts = kinds.map { start(adding: $0.1) }
    let base = pair.logits(.base, on: prompts.text, at: indices).logProbabilities
    let divergences =
      [rowDivergences(answers, base).mean]
      + pair.base.figures(of: prompts.text, fromEach: starts, at: indices) {
        rowDivergences(answers, $0).mean
      }
    return Exhibit(
      "The base with adapters, from the finetuned model",
      .table(
        columns: ["adapters", "divergence, nats"],
        rows: zip(["none"] + kinds.map(\.0), divergences).map { [.text($0), .number(Float($1))] }))
  }

  /// The base's stream behind the last adapter, block by block, since each one reads what those before it wrote.
  private func start(adding written: (MLPAdapter, Tensor) -> Tensor) -> Intervention {
    var start: [Intervention] = []
    for adapter in adapters {
      let stream = ActivationSite.mlpStream(layer: adapter.layer)
      let after = ActivationSite.residualPost(layer: adapter.layer)
      let pass = pair.base.forward(
        prompts.text, recording: [stream, after], editing: start, logits: .none)
      let sum = Matrix(pass[after])
      let added = Matrix(written(adapter, pass[stream].rows(at: prompts.countedTokens)))
      for (row, token) in prompts.countedTokens.enumerated() {
        addScaled(added.rows(row..<row + 1), to: sum.rows(token..<token + 1))
      }
      start = [.patch(after, with: sum.tensor)]
    }
    return start[0]
  }
}
