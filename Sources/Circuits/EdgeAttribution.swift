package import Tensors
package import Transformers

/// How much each edge of a model matters to a figure of its answers, to first order: edge attribution patching.
///
/// score(u → v) = Σ over tokens of ⟨zᵤ(corrupted) − zᵤ(clean), ∂m/∂v⟩, zᵤ being what u writes and ∂v the gradient by
/// what v reads (Syed et al., 2023, arXiv 2310.10348): what the figure m would change by if v read the corrupted u, so
/// that an edge that the figure needs has a score below 0. With n points the gradient is the mean of those at
/// embeddings on the way from the corrupted prompt to the clean one, e(corrupted) + k/n (e(clean) − e(corrupted)),
/// k = 1 to n (EAP-IG, Hanna et al., 2024, arXiv 2403.17806); with one it is taken at the clean prompt.
package struct EdgeAttribution: Sendable {
  package let graph: CircuitGraph
  /// Shaped `[writers, readers]`; 0 where there is no edge.
  package let scores: Tensor
  /// The figure of the clean and of the corrupted prompts.
  package let clean, corrupted: Double
  /// By writer, corrupted less clean, shaped `[tokens, width]`.
  private let changes: [Tensor]
  private let gradients: ReaderGradients

  /// - Parameters:
  ///   - figure: A figure of the logits after each prompt's last token, shaped `[prompts, vocabulary]`.
  ///   - prompts: Clean and corrupted prompts.
  ///   - points: At how many embeddings gradients are taken, at least one.
  package init(
    of figure: LogitFigure, in model: any LanguageModel, on prompts: PromptPairs, points: Int = 1
  ) {
    precondition(points > 0, "Gradients are taken at one point at least")
    let graph = CircuitGraph(model.shape), maps = OutputMap.all(of: model)
    func parts(_ text: TokenBatch) -> StreamParts {
      StreamParts(model, graph, on: text, maps, withStreams: false)
    }
    let clean = parts(prompts.clean), corrupted = parts(prompts.corrupted)
    var gradients = ReaderGradients(model.shape)
    for point in 1...points {
      let share = 1 - Float(point) / Float(points)
      let start = clean.outputs[0] + (corrupted.outputs[0] - clean.outputs[0]).scaled(by: share)
      let pass = model.siteGradients(
        of: figure, on: prompts.clean, at: gradients.sites, recording: [],
        editing: [.patch(.embedding, with: start)], logits: .last)
      gradients.add(pass.gradients, weight: 1 / Float(points))
    }
    self.graph = graph
    self.clean = figure(clean.pass.logits).value
    self.corrupted = figure(corrupted.pass.logits).value
    self.gradients = gradients
    changes = zip(corrupted.outputs, clean.outputs).map { $0 - $1 }
    scores = Self.scores(changes, gradients, graph)
  }

  private static func scores(
    _ changes: [Tensor], _ gradients: ReaderGradients, _ graph: CircuitGraph
  ) -> Tensor {
    var scores = Tensor(shape: [graph.writers.count, graph.readers.count])
    for reader in graph.readers.indices {
      let gradient = gradients.gradient(of: graph.readers[reader])
      for writer in 0..<graph.upstream[reader] {
        scores[writer, reader] = dot(changes[writer].scalars, gradient.scalars)
      }
    }
    return scores
  }

  /// What the scores of another model of this shape, on the same prompts, have more because its writers write something
  /// else, shaped `[writers, readers]`; the rest is what the gradients differ by.
  ///
  /// Of ⟨z′, g′⟩ − ⟨z, g⟩ = ⟨z′ − z, (g + g′) / 2⟩ + ⟨(z + z′) / 2, g′ − g⟩ the first part, which is 0 before the first
  /// change.
  package func written(by other: EdgeAttribution) -> Tensor {
    let ahead = Self.scores(other.changes, gradients, graph) - scores
    let behind = other.scores - Self.scores(changes, other.gradients, graph)
    return (ahead + behind).scaled(by: 0.5)
  }

  /// The edges in the order of how much they matter, whether for or against the figure.
  package var ranking: [CircuitGraph.Edge] { graph.ranked(by: scores) }

  /// Pearson's correlation of the scores with other figures of the graph's edges; 0 if either does not vary.
  package func correlation(with figures: [Float]) -> Double {
    let pairs = zip(graph.edges, figures).map { (Double(self[$0]), Double($1)) }
    let means = (pairs.map(\.0).mean, pairs.map(\.1).mean)
    func sum(_ product: ((Double, Double)) -> Double) -> Double {
      pairs.reduce(0) { $0 + product(($1.0 - means.0, $1.1 - means.1)) }
    }
    let scale = (sum { $0.0 * $0.0 } * sum { $0.1 * $0.1 }).squareRoot()
    return scale > 0 ? sum { $0.0 * $0.1 } / scale : 0
  }

  package subscript(edge: CircuitGraph.Edge) -> Float { scores[edge.writer, edge.reader] }
}

/// The gradient of a figure by what each reader reads, summed over passes.
private struct ReaderGradients: Sendable {
  let sites: Set<ActivationSite>
  private let shape: ModelShape
  private var sums: [ActivationSite: Tensor] = [:]

  init(_ shape: ModelShape) {
    self.shape = shape
    let streams = (0..<shape.layers).flatMap { layer -> [ActivationSite] in
      [
        .queryStream(layer: layer), .keyStream(layer: layer), .valueStream(layer: layer),
        .mlpStream(layer: layer),
      ]
    }
    sites = Set(streams + [CircuitGraph.Reader.logits.site(shape)])
  }

  mutating func add(_ gradients: [ActivationSite: Tensor], weight: Float) {
    sums.merge(gradients.mapValues { $0.scaled(by: weight) }) { $0 + $1 }
  }

  /// Shaped `[tokens, width]`.
  func gradient(of reader: CircuitGraph.Reader) -> Tensor {
    guard let sum = sums[reader.site(shape)] else { return Tensor(shape: [0, shape.width]) }
    guard let head = reader.head else { return sum }
    return sum.columns(head * shape.width..<(head + 1) * shape.width)
  }
}

extension CircuitGraph.Reader {
  /// Where what it reads is recorded, side by side with what others of its kind read.
  func site(_ shape: ModelShape) -> ActivationSite {
    switch self {
    case .query(let layer, _): .queryStream(layer: layer)
    case .key(let layer, _): .keyStream(layer: layer)
    case .value(let layer, _): .valueStream(layer: layer)
    case .mlp(let layer): .mlpStream(layer: layer)
    case .logits: shape.layers > 0 ? .residualPost(layer: shape.layers - 1) : .embedding
    }
  }

  /// Which part of the site is its own; nil for all of it.
  var head: Int? {
    switch self {
    case .query(_, let head), .key(_, let head), .value(_, let head): head
    case .mlp, .logits: nil
    }
  }
}
