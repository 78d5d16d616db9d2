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
  func result(
    layer: Int, _ stream: ActivationStream, using generator: inout SeededGenerator
  ) -> ITDAComparison.Result {
    var growth = growth
    growth.finish()
    let changes = LatentChanges(
      byDocument: growth.means, flips: ITDAComparison.signFlips, using: &generator)
    let differences = growth.mean
    let order = moved > Self.rounding * square ? differences.descendingIndices : []
    let count = Double(max(1, tokens)), new = Self.inCommon(continued)
    let known = Set(new[0]), atoms = Self.inCommon(own)
    return ITDAComparison.Result(
      layer: layer, atoms: dictionary.count, tokens: tokens, documents: growth.count,
      activationDifferences: differences, sortedIndices: order,
      sortedDifferences: order.map { differences[$0] },
      standardised: changes.standardised, chances: changes.chances,
      unexplained: .init(base: leftOver[0] / count, finetuned: leftOver[1] / count),
      active: .init(base: Double(active[0]) / count, finetuned: Double(active[1]) / count),
      newAtoms: .init(base: new[0], finetuned: new[1]),
      newContexts: new[1].filter { !known.contains($0) }.map {
        stream.context($0, length: SavedITDA.contextLength)
      },
      overlap: ITDADictionary.overlap(atoms[0], atoms[1]))
  }

  /// What each of two dictionaries took from the rows that both read.
  private static func inCommon(_ builders: [ITDABuilder]) -> [[ITDADictionary.Provenance]] {
    let rows = builders.map(\.rows).min() ?? 0
    return builders.map { $0.added(fromFirst: rows) }
  }
}

/// How much more latents are used, document by document, which count alike; of very many documents, some are told
/// apart no more, so that memory does not grow with the text.
private struct GrowthByDocument {
  /// Documents that are told apart, at most.
  private static let most = 1024

  private let latents: Int
  private let documents: Int
  /// Sums over the growth of a group's documents, and how many there are.
  private var sums: [Float]
  private var counts: [Int]
  /// The document that is being read: its place in the text, tokens, and what latents sum to in each model.
  ///
  /// The models' sums are kept apart, so that the other way round each sign turns and nothing else.
  private var current: Int?
  private var tokens = 0
  private var before, after: [Float]
  /// Documents that were read.
  private(set) var count = 0

  /// - Parameter documents: How many will be read.
  init(latents: Int, documents: Int) {
    self.latents = latents
    self.documents = documents
    let groups = min(documents, Self.most)
    sums = Array(repeating: 0, count: groups * latents)
    counts = Array(repeating: 0, count: groups)
    before = Array(repeating: 0, count: latents)
    after = before
  }

  mutating func add(
    _ base: SparseCodes, _ finetuned: SparseCodes, from sources: [ITDADictionary.Provenance]
  ) {
    for (row, source) in sources.enumerated() {
      if source.document != current {
        finish()
        current = source.document
      }
      tokens += 1
      for entry in base.rows[row] { before[entry.latent] += abs(entry.value) }
      for entry in finetuned.rows[row] { after[entry.latent] += abs(entry.value) }
    }
  }

  /// Closes the document that is being read.
  mutating func finish() {
    guard tokens > 0 else { return }
    let group = count * counts.count / documents
    for latent in 0..<latents {
      sums[group * latents + latent] += (after[latent] - before[latent]) / Float(tokens)
      (before[latent], after[latent]) = (0, 0)
    }
    counts[group] += 1
    count += 1
    tokens = 0
  }

  /// The growth of each latent's mean magnitude, shaped `[groups of documents, latents]`.
  var means: Tensor {
    let seen = counts.indices.filter { counts[$0] > 0 }
    return Tensor(
      shape: [seen.count, latents],
      scalars: seen.flatMap { group in
        sums[group * latents..<(group + 1) * latents].map { $0 / Float(counts[group]) }
      })
  }

  /// The same over all documents.
  var mean: [Float] {
    (0..<latents).map { latent in
      let sum = counts.indices.reduce(0.0) { $0 + Double(sums[$1 * latents + latent]) }
      return Float(sum / Double(max(1, count)))
    }
  }
}
