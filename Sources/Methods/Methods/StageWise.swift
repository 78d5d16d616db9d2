internal import Dictionaries
package import Diffing
package import Tensors
internal import Transformers

/// How much latents of the base's sparse autoencoder turn when it is taken further on the finetuned model's activations.
///
/// Published are two paths, with the finetuning's text before the change of models and after it. That text nobody has here, so the
/// pool's prompts stand for it, and each step is compared with a control that goes the same way on the base's
/// activations, by the same batches: of two equal models nothing turns. On ordinary text one is taken on by the
/// finetuned model's activations, one by the base's; the latter is taken on by either model's on the prompts. A latent
/// counts by what its direction became there, dᶠ − dᵇ, times its energy at the tokens after which an answer is read;
/// how far it turned is shown.
package struct StageWise: DiffingMethod {
  package static let card = MethodCard(
    id: "stage-wise",
    summary:
      "Latents of the base's sparse autoencoder that turn as it is taken on to the finetuned model.",
    source: "Bricken et al., 2024 (stage-wise model diffing)",
    questions: [.whether, .what, .when, .how], access: [.pool],
    magnitude: Magnitude(
      "√(mean f²) ‖dᶠ − dᵇ‖ of the latent that changed most, over answers / mean ‖h‖",
      unit: "share of the stream's norm"))

  /// After which block, as a share of the depth.
  package var depth = 1.0
  /// Latents for each number of an activation.
  package var expansion = 4
  /// Active latents of a token, on average.
  package var sparsity = 8
  /// Of the base's autoencoder.
  package var steps = 400
  /// Of each stage after it.
  package var stageSteps = 100
  /// Of the stages' learning rate, beside the first one.
  package var slowness: Float = 1 / 3
  /// Tokens of a step.
  package var batch = 256
  /// Latents that are read.
  package var read = 3

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let streams = try CountedStreams(pair, prompts, depth: depth, method: Self.card.id)
    guard streams.haveMoved else { return Evidence() }
    let stages = Stages(
      try TextStreams(ordinary: pair, prompts, streams, method: Self.card.id),
      TextStreams(base: streams.base, finetuned: streams.finetuned), learning(pair.shape.width),
      continuing: continuing(pair.shape.width), using: &generator)
    let codes = stages.finetuned.codes(of: streams.finetuned)
    let sizes = zip(codes.rootMeanSquares(over: streams.answers), stages.change.rowNorms)
      .map { $0 * $1 / streams.activationNorm }
    let claims = LatentClaims(by: sizes, stages.change, codes)
    var evidence = claims.evidence(reading: read, of: pair, streams, on: prompts)
    evidence.magnitude = claims.order.first.map { Double(sizes[$0]) }
    evidence.exhibits = pair.exhibits([
      table(claims, stages, sizes, streams, pair, prompts.specialTokens)
    ])
    return evidence
  }

  private func learning(_ width: Int) -> BatchTopKTrainer.Options {
    .init(width: width, expansion: expansion, sparsity: sparsity, steps: steps, batch: batch)
  }

  /// Nothing is revived and no sparsity annealed, so that a latent stays what it is.
  private func continuing(_ width: Int) -> BatchTopKTrainer.Options {
    var options = learning(width)
    options.steps = stageSteps
    options.learningRate *= slowness
    options.annealing = 0
    options.thresholdStart = 0
    options.auxiliary = 0
    return options
  }

  private func table(
    _ claims: LatentClaims, _ stages: Stages, _ sizes: [Float], _ streams: CountedStreams,
    _ pair: ModelPair, _ excluded: Set<Int>
  ) -> Exhibit {
    let shares = claims.codes.activeShares(over: streams.answers)
    return claims.table(
      "\(stages.finetuned.latents) latents, \(rounded(claims.codes.meanActive)) active a token",
      first: 10, of: pair, excluding: excluded,
      [
        ("active at", { shares[$0] }), ("change", { sizes[$0] }),
        ("turned on prompts", { stages.turns.model[$0] }),
        ("on ordinary text", { stages.turns.modelFirst[$0] }),
        ("by the prompts", { stages.turns.prompts[$0] }),
      ])
  }
}

/// Both models' streams of a text after the block that is read.
struct TextStreams {
  let base, finetuned: Tensor

  /// Those of ordinary text; where there is none, of every other prompt.
  ///
  /// - Throws: `DiffingError.notFinite`.
  init(ordinary pair: ModelPair, _ prompts: PromptSet, _ streams: CountedStreams, method: String)
    throws(DiffingError)
  {
    let counted = prompts.countedTokens(of: prompts.reference)
    guard !counted.isEmpty else {
      let rows = stride(from: 0, to: streams.documents.count, by: 2)
        .flatMap { streams.documents[$0] }
      (base, finetuned) = (streams.base.rows(at: rows), streams.finetuned.rows(at: rows))
      return
    }
    func read(_ side: ModelPair.Side) -> Tensor {
      pair.activations(side, at: streams.site, on: prompts.reference).rows(at: counted)
    }
    (base, finetuned) = (read(.base), read(.finetuned))
    guard sumOfSquares(Matrix(base)).isFinite, sumOfSquares(Matrix(finetuned)).isFinite else {
      throw .notFinite(method: method)
    }
  }

  init(base: Tensor, finetuned: Tensor) {
    self.base = base
    self.finetuned = finetuned
  }
}

/// One autoencoder, taken further along both paths, with controls that see the base alone.
struct Stages {
  /// On the pool's prompts, of the base and of the finetuned model.
  let base, finetuned: BatchTopKDictionary
  /// What each latent's direction became, in the stream's own size, shaped `[latents, width]`.
  let change: Tensor
  /// How far each latent turned, 1 − cos.
  let turns: (model: [Float], modelFirst: [Float], prompts: [Float])

  init(
    _ ordinary: TextStreams, _ prompts: TextStreams, _ options: BatchTopKTrainer.Options,
    continuing: BatchTopKTrainer.Options, using generator: inout SeededGenerator
  ) {
    let start = BatchTopKTrainer.train(on: ordinary.base, options, using: &generator)
    let seeds = [generator.next(), generator.next()]
    /// The same batches in the same order, whatever activations they are of.
    func stage(_ place: Int, from dictionary: BatchTopKDictionary, on rows: Tensor)
      -> BatchTopKDictionary
    {
      var draws = SeededGenerator(seed: seeds[place])
      return BatchTopKTrainer.train(on: rows, from: dictionary, continuing, using: &draws)
    }
    let still = stage(0, from: start, on: ordinary.base)
    let model = stage(0, from: start, on: ordinary.finetuned)
    base = stage(1, from: still, on: prompts.base)
    finetuned = stage(1, from: still, on: prompts.finetuned)
    change = (finetuned.decoder - base.decoder).scaled(by: 1 / start.normalizer.scale)
    turns = (
      Self.turns(base, finetuned), Self.turns(still, model), Self.turns(still, base)
    )
  }

  private static func turns(_ first: BatchTopKDictionary, _ second: BatchTopKDictionary) -> [Float]
  {
    (0..<first.latents).map {
      1
        - cosine(
          Tensor(Array(first.decoder.row($0))), Tensor(Array(second.decoder.row($0))))
    }
  }
}
