package import Tensors
package import Transformers

/// A model that runs with some of its edges, the others carrying what they carry on a corrupted prompt.
///
/// v reads Σ over kept edges of zᵤ(run) + Σ over cut ones of zᵤ(corrupted): the corrupted stream, and for each kept edge
/// what the writer adds to it in this run beyond what it adds there. Streams are set one reader after another, so that
/// what is written behind them is what this run's circuit makes of them.
package struct CircuitRun {
  package let graph: CircuitGraph
  private let model: any LanguageModel
  private let prompts: PromptPairs
  private let clean, corrupted: StreamParts
  private let maps: [OutputMap]
  private var shape: ModelShape { model.shape }

  package init(_ model: any LanguageModel, on prompts: PromptPairs) {
    let graph = CircuitGraph(model.shape), maps = OutputMap.all(of: model)
    func parts(_ text: TokenBatch) -> StreamParts {
      StreamParts(model, graph, on: text, maps, withStreams: true)
    }
    self.graph = graph
    self.model = model
    self.prompts = prompts
    self.maps = maps
    clean = parts(prompts.clean)
    corrupted = parts(prompts.corrupted)
  }

  /// The logits after each prompt's last token, shaped `[prompts, vocabulary]`.
  package func logits(keeping edges: Set<CircuitGraph.Edge>) -> Tensor {
    var changes = [clean.outputs[0] - corrupted.outputs[0]]
    for layer in 0..<shape.layers {
      let attention = readers { $0.attentionLayer == layer }
      changes += written(byAttention: layer, streams(attention, edges, changes), changes.count)
      let mlp = readers { $0 == .mlp(layer: layer) }
      changes += written(byMLP: layer, streams(mlp, edges, changes), changes.count)
    }
    let last = streams(readers { $0 == .logits }, edges, changes)
    return model.forward(
      prompts.clean, recording: [], editing: last.map { .patch($0.key, with: $0.value) },
      logits: .last
    ).logits
  }

  /// The logits of the clean prompts if one edge alone carries what it carries on the corrupted ones: what edge
  /// attribution approximates.
  package func logits(corrupting edge: CircuitGraph.Edge) -> Tensor {
    let reader = graph.readers[edge.reader], site = reader.site(shape)
    let change = corrupted.outputs[edge.writer] - clean.outputs[edge.writer]
    let stream = clean.pass[input(of: reader)]
    return model.forward(
      prompts.clean, recording: [],
      editing: [
        .patch(input(of: reader), with: stream),
        .patch(site, with: widened(stream + change, reader), head: reader.head),
      ], logits: .last
    ).logits
  }

  /// The logits of the clean and of the corrupted prompts.
  package var ends: (clean: Tensor, corrupted: Tensor) {
    (clean.pass.logits, corrupted.pass.logits)
  }

  /// How far a figure of a circuit lies from that of the corrupted prompts, 0, towards that of the clean ones, 1.
  package func faithfulness(of figure: LogitFigure, keeping edges: Set<CircuitGraph.Edge>) -> Float
  {
    let (clean, corrupted) = (figure(ends.clean).value, figure(ends.corrupted).value)
    let gap = clean - corrupted
    return gap == 0 ? 0 : Float((figure(logits(keeping: edges)).value - corrupted) / gap)
  }

  /// By how much a figure of the clean prompts changes if each edge alone is corrupted, in the order of the graph's
  /// edges.
  package func effects(of figure: LogitFigure) -> [Float] {
    let clean = figure(ends.clean).value
    return graph.edges.map { Float(figure(logits(corrupting: $0)).value - clean) }
  }

  private func readers(_ isMeant: (CircuitGraph.Reader) -> Bool) -> [Int] {
    graph.readers.indices.filter { isMeant(graph.readers[$0]) }
  }

  /// What readers read, by their sites.
  ///
  /// - Parameter changes: What each writer so far adds in this run beyond what it adds on the corrupted prompt.
  private func streams(
    _ readers: [Int], _ edges: Set<CircuitGraph.Edge>, _ changes: [Tensor]
  ) -> [ActivationSite: Tensor] {
    var streams: [ActivationSite: [Tensor]] = [:]
    for reader in readers {
      let stream = Matrix(corrupted.pass[input(of: graph.readers[reader])])
      for writer in 0..<graph.upstream[reader]
      where edges.contains(CircuitGraph.Edge(writer: writer, reader: reader)) {
        addScaled(Matrix(changes[writer]), to: stream)
      }
      streams[graph.readers[reader].site(shape), default: []].append(stream.tensor)
    }
    return streams.mapValues { $0.count == 1 ? $0[0] : sideBySide($0) }
  }

  /// What the heads of a block add beyond what they add on the corrupted prompt.
  private func written(
    byAttention layer: Int, _ streams: [ActivationSite: Tensor], _ first: Int
  ) -> [Tensor] {
    let site = StreamParts.attentionSite(shape, layer)
    let pass = run(streams, behind: input(of: .query(layer: layer, head: 0)), recording: site)
    guard !shape.norms.areAfter else { return [pass[site] - corrupted.outputs[first]] }
    return (0..<shape.heads).map {
      maps[layer].output(of: $0, in: pass[site]) - corrupted.outputs[first + $0]
    }
  }

  private func written(
    byMLP layer: Int, _ streams: [ActivationSite: Tensor], _ first: Int
  ) -> [Tensor] {
    let site = ActivationSite.mlpOutput(layer: layer)
    let pass = run(streams, behind: input(of: .mlp(layer: layer)), recording: site)
    return [pass[site] - corrupted.outputs[first]]
  }

  /// Runs a block from the streams that its readers are given.
  ///
  /// - Parameter start: A stream before them, which no reader reads: with it replaced, nothing before is computed.
  private func run(
    _ streams: [ActivationSite: Tensor], behind start: ActivationSite,
    recording site: ActivationSite
  ) -> ForwardPass {
    model.forward(
      prompts.clean, recording: [site],
      editing: [.patch(start, with: corrupted.pass[start])]
        + streams.map { .patch($0.key, with: $0.value) }, logits: .none)
  }

  /// The stream that a reader reads in an ordinary pass.
  private func input(of reader: CircuitGraph.Reader) -> ActivationSite {
    func behindBlock(_ layer: Int) -> ActivationSite {
      layer > 0 ? .residualPost(layer: layer - 1) : .embedding
    }
    return switch reader {
    case .query(let layer, _), .key(let layer, _), .value(let layer, _): behindBlock(layer)
    case .mlp(let layer): shape.isParallel ? behindBlock(layer) : .residualMid(layer: layer)
    case .logits: behindBlock(shape.layers)
    }
  }

  /// A reader's stream as wide as its site; what lies outside of the reader's part is not looked at.
  private func widened(_ stream: Tensor, _ reader: CircuitGraph.Reader) -> Tensor {
    guard let head = reader.head else { return stream }
    return sideBySide(Array(repeating: stream, count: head + 1))
  }

  private func sideBySide(_ streams: [Tensor]) -> Tensor {
    let width = shape.width
    return Tensor(rows: streams[0].rows, columns: streams.count * width) { whole in
      for (index, stream) in streams.enumerated() {
        whole.columns(index * width..<(index + 1) * width).copy(Matrix(stream))
      }
    }
  }
}
