internal import Circuits
package import Diffing
package import Tensors
internal import Transformers

/// How the two models' circuits differ on the prompts where their answers do.
///
/// Clean are the prompts with the largest divergence, corrupted those of equal length with the smallest: what tells the
/// two apart is what finetuning did. The figure is the same in both models, how far the answers lie along the change;
/// its edges are scored in each model by EAP-IG, and what finetuning added is the difference of the scores. A module
/// counts by what its writers added to that; what is left comes of gradients, which change everywhere.
package struct CircuitDifference: DiffingMethod {
  package static let card = MethodCard(
    id: "circuit-difference",
    summary: "Edges that matter more to the changed answers in one model than in the other.",
    source: "Hanna et al., 2024 (arXiv 2403.17806, EAP-IG), in both models",
    questions: [.whether, .where], access: [.pool],
    magnitude: Magnitude(
      "‖S′ − S‖ / (‖S′‖ + ‖S‖), S the scores of all edges", unit: "share of the scores' norm"))

  /// Prompts of each kind.
  package var promptCount = 16
  /// At how many embeddings between corrupted and clean gradients are taken.
  package var points = 5
  /// Edges that people are shown.
  package var shownEdges = 20
  /// Shares of the edges that circuits are made of, for people.
  package var circuitShares = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
  /// The most edges of which each is corrupted alone, for people.
  package var oracleEdges = 1000

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    guard let contrast = try contrasted(pair, prompts) else { return Evidence() }
    func answers(_ model: any LanguageModel) -> Tensor {
      model.forward(contrast.clean, logits: .last).logits.logProbabilities
    }
    let change = AnswerChange(base: answers(pair.base), finetuned: answers(pair.finetuned))
    guard change.isSeen else { return Evidence() }
    let comparison = CircuitComparison(pair, contrast, change.recoveryFigure, points: points)
    var evidence = Evidence()
    evidence.magnitude = comparison.magnitude
    evidence.sites = SiteClaim.ranking(comparison.written)
    evidence.exhibits = pair.exhibits(
      comparison.exhibits(edges: shownEdges, shares: circuitShares, oracle: oracleEdges))
    return evidence
  }

  /// The prompts with the largest divergence, each with another of equal length and beginning with the smallest; nil if
  /// there are none.
  private func contrasted(_ pair: ModelPair, _ prompts: PromptSet) throws -> PromptPairs? {
    let text = prompts.text, order = pair.byDivergence(text), half = order.count / 2
    var counterparts = Array(order[half...].reversed())
    var rows: [(clean: Int, corrupted: Int)] = [], tokens = 0
    for row in order[..<half] where rows.count < promptCount {
      let length = text.range(row).count
      guard tokens + length <= max(prompts.limits.exchanged, length),
        let place = counterparts.firstIndex(where: { text.isCounterpart($0, of: row) })
      else { continue }
      rows.append((row, counterparts.remove(at: place)))
      tokens += length
    }
    guard !rows.isEmpty else { return nil }
    func batch(_ rows: [Int]) -> TokenBatch { TokenBatch(rows.map { Array(text.row($0)) }) }
    return try PromptPairs(
      clean: batch(rows.map(\.clean)), corrupted: batch(rows.map(\.corrupted)))
  }
}

extension TokenBatch {
  /// Whether a row is as long as another, begins as it does and goes on otherwise.
  fileprivate func isCounterpart(_ row: Int, of other: Int) -> Bool {
    let (own, others) = (self.row(row), self.row(other))
    return own.count == others.count && own.first == others.first && Array(own) != Array(others)
  }
}

/// The scores of all edges in both models.
private struct CircuitComparison {
  private let pair: ModelPair
  private let prompts: PromptPairs
  private let figure: LogitFigure
  private let base, finetuned: EdgeAttribution
  private let difference: Tensor
  private var graph: CircuitGraph { base.graph }

  init(_ pair: ModelPair, _ prompts: PromptPairs, _ figure: @escaping LogitFigure, points: Int) {
    self.pair = pair
    self.prompts = prompts
    self.figure = figure
    base = EdgeAttribution(of: figure, in: pair.base, on: prompts, points: points)
    finetuned = EdgeAttribution(of: figure, in: pair.finetuned, on: prompts, points: points)
    difference = finetuned.scores - base.scores
  }

  /// Nil if no edge matters to either model.
  var magnitude: Double? {
    let size = finetuned.scores.norm + base.scores.norm
    return size > 0 ? Double(difference.norm / size) : nil
  }

  /// How much what each module writes changed the scores of its edges.
  ///
  /// If nothing that is written changed, what stands above the blocks did.
  var written: [(ModuleSite, Float)] {
    let written = base.written(by: finetuned)
    var sums: [ModuleSite: Float] = [:]
    for edge in graph.edges {
      sums[graph.writers[edge.writer].module, default: 0] += abs(written[edge.writer, edge.reader])
    }
    let above = sums.values.contains { $0 > 0 } ? [] : pair.changedAboveBlocks
    return ModuleSite.all(layers: pair.shape.layers).map {
      ($0, sums[$0] ?? (above.contains($0) ? 1 : 0))
    }
  }

  /// What people are shown.
  ///
  /// - Parameters:
  ///   - count: How many edges.
  ///   - shares: Which shares of all edges circuits are made of.
  ///   - limit: The most edges of which each is corrupted alone.
  func exhibits(edges count: Int, shares: [Double], oracle limit: Int) -> [Exhibit] {
    let sides = [("base", pair.base, base), ("finetuned", pair.finetuned, finetuned)].map {
      name, model, scores in
      ComparedSide(
        name: name, run: CircuitRun(model, on: prompts), integrated: scores,
        plain: EdgeAttribution(of: figure, in: model, on: prompts))
    }
    return [
      edgeTable(count), faithfulness(shares, sides), overlap(shares), agreement(upTo: limit, sides),
    ]
  }

  /// The edges whose scores changed most.
  private func edgeTable(_ count: Int) -> Exhibit {
    Exhibit(
      "Edges whose scores changed most; an edge that the changed answers need has a score below 0",
      .table(
        columns: ["writes", "reads", "base", "finetuned", "change"],
        rows: graph.ranked(by: difference).prefix(count).map { edge in
          [
            .text("\(graph.writers[edge.writer])"), .text("\(graph.readers[edge.reader])"),
            .number(base[edge]), .number(finetuned[edge]),
            .number(difference[edge.writer, edge.reader]),
          ]
        }))
  }

  /// How much of what tells clean from corrupted prompts circuits of several sizes keep: a model's own, by EAP-IG and by
  /// EAP, and the other's.
  private func faithfulness(_ shares: [Double], _ sides: [ComparedSide]) -> Exhibit {
    let sizes = sizes(shares)
    let lines = zip(sides, sides.reversed()).flatMap { side, other in
      [
        ("\(side.name)'s own", side.integrated), ("\(side.name)'s own by EAP", side.plain),
        ("\(other.name)'s in the \(side.name)", other.integrated),
      ].map { title, attribution in
        let ranking = attribution.ranking
        return Exhibit.Line(
          title, sizes.map { side.run.faithfulness(of: figure, keeping: Set(ranking.prefix($0))) })
      }
    }
    return Exhibit(
      "Faithfulness of circuits: 0 corrupted, 1 clean",
      .curves(axis: "edges", points: sizes.map { "\($0)" }, lines: lines))
  }

  private func sizes(_ shares: [Double]) -> [Int] {
    shares.map { max(1, Int(Double(graph.edges.count) * $0)) }
  }

  /// How many edges both models' circuits have of those that either has, what leads nowhere left out.
  private func overlap(_ shares: [Double]) -> Exhibit {
    let (own, others) = (base.ranking, finetuned.ranking)
    let values = sizes(shares).map { size -> Float in
      let a = graph.connected(Set(own.prefix(size))), b = graph.connected(Set(others.prefix(size)))
      return a.isEmpty && b.isEmpty ? 1 : Float(a.intersection(b).count) / Float(a.union(b).count)
    }
    return Exhibit(
      "Overlap of the two models' circuits (Jaccard)",
      .curves(
        axis: "edges", points: sizes(shares).map { "\($0)" }, lines: [.init("overlap", values)]))
  }

  /// How far scores agree with what the figure really changes by if each edge alone is corrupted.
  private func agreement(upTo limit: Int, _ sides: [ComparedSide]) -> Exhibit {
    let title = "Correlation of scores with every edge corrupted alone"
    guard graph.edges.count <= limit else {
      return Exhibit(title, .table(columns: ["left out"], rows: [[.text("too many edges")]]))
    }
    let rows = sides.map { side -> [Exhibit.Cell] in
      let exact = side.run.effects(of: figure)
      return [
        .text(side.name), .number(Float(side.plain.correlation(with: exact))),
        .number(Float(side.integrated.correlation(with: exact))),
      ]
    }
    return Exhibit(title, .table(columns: ["model", "EAP", "EAP-IG"], rows: rows))
  }
}

/// A model's circuits as exhibits compare them.
private struct ComparedSide {
  let name: String
  let run: CircuitRun
  /// Scores by EAP-IG, and by EAP.
  let integrated, plain: EdgeAttribution
}
