import Circuits
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Circuits")
struct CircuitTests {
  static let shapes: [(name: String, model: DecoderModel)] = [
    ("plain", TinyModels.llama()), ("deep", TinyModels.llama(layers: 3, biases: true)),
    ("side by side", TinyModels.varied { $0.isParallel = true }),
    ("norms all around", TinyModels.varied { $0.norms = Norms(areAfter: true) }),
    (
      "norms behind, of all heads",
      TinyModels.varied {
        $0.norms = Norms(areBefore: false, areAfter: true, ofQueriesAndKeys: .whole)
      }
    ),
    (
      "caps, plain MLP, tied",
      TinyModels.varied {
        ($0.attention.softCap, $0.logitCap, $0.isTied) = (0.8, 1.5, true)
        $0.mlp = MLPParts(.gelu, isGated: false)
      }
    ),
    (
      "layer norms, norms of heads",
      TinyModels.varied { $0.norms = Norms(kind: .layer, ofQueriesAndKeys: .perHead) }
    ),
    (
      "learned places",
      TinyModels.varied {
        ($0.hasLearnedPositions, $0.attention.reach.rotary, $0.context) = (true, nil, 9)
      }
    ),
  ]

  private let prompts: PromptPairs

  init() throws {
    prompts = try PromptPairs(
      clean: TokenBatch(TinyModels.rows([5, 3, 6])),
      corrupted: TokenBatch(TinyModels.rows([5, 3, 6], seed: 4)))
  }

  /// A weighted sum of the logits.
  private func figure(_ model: any LanguageModel) -> LogitFigure {
    var generator = SeededGenerator(seed: 3)
    let weights = generator.direction(3 * model.shape.vocabulary)
      .reshaped([3, model.shape.vocabulary])
    return { (Double(dot($0.scalars, weights.scalars)), weights) }
  }

  @Test("a model of H heads in L blocks has the published number of edges", arguments: [3, 4])
  func edges(layers: Int) {
    let model = TinyModels.varied { ($0.layers, $0.keyHeads) = (layers, 4) }
    #expect(CircuitGraph(model.shape).edges.count == (layers == 3 ? 262 : 479))
  }

  @Test("the whole graph answers as the clean prompts, none of it as the corrupted ones")
  func ends() {
    for (name, model) in Self.shapes {
      let run = CircuitRun(model, on: prompts)
      expectClose(
        run.logits(keeping: Set(run.graph.edges)),
        model.forward(prompts.clean, logits: .last).logits,
        tolerance: 1e-5, name)
      expectClose(
        run.logits(keeping: []), model.forward(prompts.corrupted, logits: .last).logits,
        tolerance: 1e-5, name)
    }
  }

  @Test("edges that lie on no path from the embedding to the logits change nothing")
  func connected() {
    let model = TinyModels.llama(layers: 3), run = CircuitRun(model, on: prompts)
    var generator = SeededGenerator(seed: 8)
    for _ in 0..<5 {
      let some = Set(run.graph.edges.filter { _ in generator.index(below: 10) < 3 })
      let kept = run.graph.connected(some)
      #expect(kept.count < some.count && kept.isSubset(of: some))
      #expect(run.graph.connected(kept) == kept)
      expectClose(run.logits(keeping: kept), run.logits(keeping: some), tolerance: 1e-5)
    }
    let logits = run.graph.readers.count - 1
    #expect(run.graph.connected(Set(run.graph.edges)) == Set(run.graph.edges))
    #expect(run.graph.connected(Set(run.graph.edges.filter { $0.reader != logits })).isEmpty)
  }

  @Test("where tokens are hardly told apart, the scores are what single edges change")
  func firstOrder() {
    for (name, model) in Self.shapes {
      let model = TinyModels.flattened(model, spread: 0.002), figure = figure(model),
        run = CircuitRun(model, on: prompts)
      let attribution = EdgeAttribution(of: figure, in: model, on: prompts)
      let exact = run.graph.edges.map {
        Float(figure(run.logits(corrupting: $0)).value - attribution.clean)
      }
      // What is lost by subtracting two figures of single precision is beside the point.
      let scale = exact.map(abs).max() ?? 0
      for (edge, value) in zip(run.graph.edges, exact) {
        #expect(
          abs(attribution[edge] - value) < 0.03 * scale,
          "\(name): \(run.graph.writers[edge.writer]) to \(run.graph.readers[edge.reader])")
      }
      #expect(scale > 0)
    }
  }

  @Test("integrated gradients add up to the whole difference along the embedding's edges")
  func completeness() {
    for (name, model) in Self.shapes {
      let figure = figure(model)
      func attribution(_ points: Int) -> EdgeAttribution {
        EdgeAttribution(of: figure, in: model, on: prompts, points: points)
      }
      func sum(_ points: Int) -> Double {
        let attribution = attribution(points)
        return attribution.graph.edges.filter { $0.writer == 0 }
          .reduce(0) { $0 + Double(attribution[$1]) }
      }
      let whole = attribution(1).corrupted - attribution(1).clean
      // The sum at n points is wrong by some c/n.
      let limit = 2 * sum(200) - sum(100)
      #expect(abs(limit - whole) < 0.005 * abs(whole) + 0.001, "\(name): \(limit), \(whole)")
    }
  }

  @Test("prompts and counterparts of other lengths are refused")
  func lengths() {
    let clean = TokenBatch([[1, 2], [3, 4]])
    #expect(throws: CircuitError.differentLengths(row: 1, clean: 2, corrupted: 3)) {
      try PromptPairs(clean: clean, corrupted: TokenBatch([[1, 2], [3, 4, 5]]))
    }
    #expect(throws: CircuitError.differentCounts(clean: 2, corrupted: 1)) {
      try PromptPairs(clean: clean, corrupted: TokenBatch([[1, 2]]))
    }
  }
}
