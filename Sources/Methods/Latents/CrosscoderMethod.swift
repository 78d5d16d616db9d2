internal import Dictionaries
internal import Diffing
internal import Tensors
internal import Transformers

/// A method that learns one dictionary of both models' streams, and reads its latents.
protocol CrosscoderMethod: DiffingMethod {
  var depth: Double { get }
  var expansion: Int { get }
  var steps: Int { get }
  var batch: Int { get }
  var read: Int { get }
}

extension CrosscoderMethod {
  /// Learns, and reads the latents that a variant means to tell of a change: those that changed most come first.
  ///
  /// - Parameter sparsity: Active latents of a token, on average, of those that live in both models; a penalty minds none.
  func read(
    _ pair: ModelPair, _ prompts: PromptSet, as variant: CrosscoderVariant, sparsity: Int,
    using generator: inout SeededGenerator
  ) throws -> Evidence {
    let streams = try CountedStreams(pair, prompts, depth: depth, method: Self.card.id)
    guard streams.haveMoved else { return Evidence() }
    let activations = streams.sideBySide
    var options = BatchTopKTrainer.Options(
      width: pair.shape.width, expansion: expansion, sparsity: sparsity, steps: steps,
      batch: batch)
    options.variant = variant
    let dictionary = BatchTopKTrainer.train(
      on: activations, models: 2, options, using: &generator)
    let codes = dictionary.codes(of: activations)
    let change = (dictionary.directions(of: 1) - dictionary.directions(of: 0))
      .scaled(by: 1 / dictionary.normalizer.scale)
    let told = variant.telling(of: dictionary.latents)
    let sizes = zip(codes.rootMeanSquares(over: streams.answers), change.rowNorms).enumerated()
      .map { told.contains($0) ? $1.0 * $1.1 / streams.activationNorm : 0 }
    let claims = LatentClaims(by: streams.differencesVary ? sizes : [], change, codes)
    var evidence = claims.evidence(reading: read, of: pair, streams, on: prompts)
    evidence.magnitude = claims.order.first.map { Double(sizes[$0]) }
    evidence.exhibits = pair.exhibits([
      table(claims, dictionary, activations, sizes, streams, pair, prompts.specialTokens),
      LatentExchange(pair, prompts, streams, claims, dictionary).exhibit,
    ])
    return evidence
  }

  private func table(
    _ claims: LatentClaims, _ dictionary: BatchTopKDictionary, _ activations: Tensor,
    _ sizes: [Float], _ streams: CountedStreams, _ pair: ModelPair, _ excluded: Set<Int>
  ) -> Exhibit {
    let sides = CrosscoderSides(dictionary, on: activations, codes: claims.codes)
    let unexplained = unexplainedVariance(dictionary.decoded(claims.codes), of: activations)
    let active = sides.leans.indices.filter { sides.activeRows[$0] > 0 }
    func count(_ side: CrosscoderSide) -> Int { active.count { sides.side($0) == side } }
    let missing = active.count(where: sides.isMissingInBase)
    let shares = claims.codes.activeShares(over: streams.answers)
    return claims.table(
      "\(active.count) latents, \(rounded(claims.codes.meanActive)) active a token, leave "
        + "\(rounded(unexplained)) of the variance; \(count(.base)) are the base's alone, "
        + "\(count(.finetuned)) the finetuned model's, \(missing) missing in the base by scaling",
      first: 10, of: pair, excluding: excluded,
      [
        ("active at", { shares[$0] }), ("change", { sizes[$0] }), ("lean", { sides.leans[$0] }),
        ("ν error", { sides.errorRatios[$0] }),
        ("ν reconstruction", { sides.reconstructionRatios[$0] }),
      ])
  }
}
