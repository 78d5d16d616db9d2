internal import Dictionaries
internal import Tensors

/// What a dictionary says of two models' activations, gathered part by part.
struct ComparedCodes {
  private typealias Sides = ITDAComparison.Sides

  private let dictionary: ITDADictionary
  private var growth: GrowthByDocument
  /// Dictionaries of the text itself, made as this one was, of each model.
  private var own: [ITDABuilder]
  /// What would be added to this one, by each model.
  private var continued: [ITDABuilder]
  private var leftOver = [0.0, 0.0], active = [0, 0]
  /// Σ‖f − b‖² and Σ‖b‖².
  private var moved = 0.0, square = 0.0
  private(set) var tokens = 0

  init(_ dictionary: ITDADictionary, documents: Int) {
    self.dictionary = dictionary
    growth = GrowthByDocument(latents: dictionary.count, documents: documents)
    own = [0, 1].map { _ in ITDABuilder(width: dictionary.width, dictionary.options) }
    continued = [0, 1].map { _ in
      ITDABuilder(continuing: dictionary, room: ITDAComparison.mostNewAtoms)
    }
  }

  /// Reads both models' activations of a part.
  ///
  /// - Returns: Their codes.
  mutating func read(
    _ streams: ITDAComparison.Sides<Tensor>, from sources: [ITDADictionary.Provenance]
  ) -> ITDAComparison.Sides<SparseCodes> {
    let models = [streams.base, streams.finetuned]
    let read = models.map(dictionary.codesAndErrors), codes = read.map(\.codes)
    for side in models.indices {
      leftOver[side] += read[side].relativeErrors.reduce(0) { $0 + Double($1) }
      active[side] += codes[side].rows.reduce(0) { $0 + $1.count }
      own[side].read(models[side], from: sources)
      continued[side].read(models[side], from: sources)
    }
    growth.add(codes[0], codes[1], from: sources)
    moved += Double(squaredDistance(Matrix(models[1]), Matrix(models[0])))
    square += Double(sumOfSquares(Matrix(models[0])))
    tokens += sources.count
    return .init(base: codes[0], finetuned: codes[1])
  }

  /// Below which models' activations are the same: their mean square difference beside the base's own.
  private static var rounding: Double { 1e-10 }

  /// What was gathered.
  func result(layer: Int, rows: [[Int]], using generator: inout SeededGenerator)
    -> ITDAComparison.Result
  {
    let changes = LatentChanges(
      byDocument: growth.means, flips: ITDAComparison.signFlips, using: &generator)
    let order = moved > Self.rounding * square ? changes.sorted : []
    let count = Double(max(1, tokens)), new = continued.map { Array($0.added) }
    let known = Set(new[0])
    return ITDAComparison.Result(
      layer: layer, atoms: dictionary.count, tokens: tokens, documents: growth.count,
      activationDifferences: changes.differences, sortedIndices: order,
      sortedDifferences: order.map { changes.differences[$0] },
      standardised: changes.standardised, chances: changes.chances,
      unexplained: .init(base: leftOver[0] / count, finetuned: leftOver[1] / count),
      active: .init(base: Double(active[0]) / count, finetuned: Double(active[1]) / count),
      newAtoms: .init(base: new[0], finetuned: new[1]),
      newContexts: new[1].filter { !known.contains($0) }.map {
        rows[$0.document].context(upTo: $0.position)
      },
      overlap: own[0].dictionary.overlap(with: own[1].dictionary))
  }
}

/// How much more latents are used, document by document; of very many documents, some count as one.
private struct GrowthByDocument {
  private let latents: Int
  private let documents: Int
  private let groups: Int
  // Apart, so that the other way round each sign turns and nothing else.
  private var before, after: [Float]
  private var counts: [Int]

  /// Documents that are told apart, at most, so that memory does not grow with the text.
  private static let most = 1024

  init(latents: Int, documents: Int) {
    self.latents = latents
    self.documents = documents
    groups = min(documents, Self.most)
    before = Array(repeating: 0, count: groups * latents)
    after = before
    counts = Array(repeating: 0, count: groups)
  }

  /// Documents that have any token.
  var count: Int { counts.count { $0 > 0 } }

  mutating func add(
    _ base: SparseCodes, _ finetuned: SparseCodes, from sources: [ITDADictionary.Provenance]
  ) {
    for (row, source) in sources.enumerated() {
      let group = source.document * groups / documents
      counts[group] += 1
      for entry in base.rows[row] { before[group * latents + entry.latent] += abs(entry.value) }
      for entry in finetuned.rows[row] { after[group * latents + entry.latent] += abs(entry.value) }
    }
  }

  /// The growth of each latent's mean magnitude, shaped `[documents, latents]`.
  var means: Tensor {
    let seen = counts.indices.filter { counts[$0] > 0 }
    return Tensor(
      shape: [seen.count, latents],
      scalars: seen.flatMap { group in
        (group * latents..<(group + 1) * latents).map {
          (after[$0] - before[$0]) / Float(counts[group])
        }
      })
  }
}
