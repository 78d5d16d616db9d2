package import Tensors
package import Transformers

/// A model as a graph: what writes to the residual stream, what reads it, and an edge from each writer to each reader
/// that comes later (Hanna et al., 2024, arXiv 2403.17806).
///
/// Queries, keys and values of a head read apart, and a head writes once. Where a norm stands between the heads and
/// the stream, what single heads write cannot be told apart, and the attention writes as a whole.
package struct CircuitGraph: Sendable, Equatable {
  /// What writes to the stream.
  package enum Writer: Hashable, Sendable {
    case embedding
    case head(layer: Int, index: Int)
    case attention(layer: Int)
    case mlp(layer: Int)
  }

  /// What reads it.
  package enum Reader: Hashable, Sendable {
    case query(layer: Int, head: Int)
    case key(layer: Int, head: Int)
    case value(layer: Int, head: Int)
    case mlp(layer: Int)
    /// The final norm and the unembedding.
    case logits
  }

  /// A writer and a reader, by their places in the graph's lists.
  package struct Edge: Hashable, Sendable {
    package let writer, reader: Int
  }

  /// In the order of the computation.
  package let writers: [Writer]
  package let readers: [Reader]
  /// How many writers come before each reader: those are the ones that it reads.
  package let upstream: [Int]

  package init(_ shape: ModelShape) {
    var writers: [Writer] = [.embedding], readers: [Reader] = [], upstream: [Int] = []
    for layer in 0..<shape.layers {
      let start = writers.count
      let heads = (0..<shape.heads), keys = 0..<shape.keyHeads
      let attention: [Reader] =
        heads.map { .query(layer: layer, head: $0) } + keys.map { .key(layer: layer, head: $0) }
        + keys.map { .value(layer: layer, head: $0) }
      writers +=
        shape.norms.areAfter
        ? [.attention(layer: layer)] : heads.map { .head(layer: layer, index: $0) }
      readers += attention + [.mlp(layer: layer)]
      upstream += attention.map { _ in start } + [shape.isParallel ? start : writers.count]
      writers.append(.mlp(layer: layer))
    }
    self.writers = writers
    self.readers = readers + [.logits]
    self.upstream = upstream + [writers.count]
  }

  /// Every edge, by reader.
  package var edges: [Edge] {
    readers.indices.flatMap { reader in
      (0..<upstream[reader]).map { Edge(writer: $0, reader: reader) }
    }
  }

  /// The edges in the order of the size of their scores, the largest first, whatever the sign; of equal ones the first.
  ///
  /// - Parameter scores: Shaped `[writers, readers]`.
  package func ranked(by scores: Tensor) -> [Edge] {
    edges.enumerated().map { (edge: $1, size: abs(scores[$1.writer, $1.reader]), place: -$0) }
      .sorted { ($0.size, $0.place) > ($1.size, $1.place) }.map(\.edge)
  }

  /// Of some edges those that lie on a path from the embedding to the logits: no other changes an answer.
  package func connected(_ edges: Set<Edge>) -> Set<Edge> {
    let read = Dictionary(grouping: edges, by: \.reader),
      written = Dictionary(grouping: edges, by: \.writer)
    let inputs = writers.indices.map(readers)
    var owner = readers.map { _ in [Int]() }
    for (writer, readers) in inputs.enumerated() {
      for reader in readers { owner[reader].append(writer) }
    }
    // A writer's own readers come before it, and its edges behind it, so one walk in either direction sees all.
    var reached: Set<Int> = [0], leading: Set<Int> = []
    for writer in writers.indices
    where inputs[writer].contains(where: { reader in
      read[reader]?.contains { reached.contains($0.writer) } == true
    }) {
      reached.insert(writer)
    }
    func leads(_ edge: Edge) -> Bool {
      readers[edge.reader] == .logits || owner[edge.reader].contains(where: leading.contains)
    }
    for writer in writers.indices.reversed() where written[writer]?.contains(where: leads) == true {
      leading.insert(writer)
    }
    return edges.filter { reached.contains($0.writer) && leads($0) }
  }

  /// What a writer reads: of a head its queries, and the keys and values that it shares with others.
  package func readers(of writer: Int) -> [Int] {
    switch writers[writer] {
    case .embedding: []
    case .mlp(let layer): readers.indices.filter { readers[$0] == .mlp(layer: layer) }
    case .attention(let layer): readers.indices.filter { readers[$0].attentionLayer == layer }
    case .head(let layer, let index):
      readers.indices.filter { reader in
        guard readers[reader].attentionLayer == layer else { return false }
        switch readers[reader] {
        case .query(_, let head): return head == index
        case .key(_, let head), .value(_, let head): return head == keyHead(of: index, layer)
        case .mlp, .logits: return false
        }
      }
    }
  }

  /// Heads share keys and values in groups of neighbours.
  private func keyHead(of head: Int, _ layer: Int) -> Int {
    let heads = readers.count { if case .query(layer, _) = $0 { true } else { false } }
    let keys = readers.count { if case .key(layer, _) = $0 { true } else { false } }
    return head * keys / heads
  }
}

extension CircuitGraph.Writer: CustomStringConvertible {
  /// The module that it is a part of.
  package var module: ModuleSite {
    switch self {
    case .embedding: .embedding
    case .head(let layer, _), .attention(let layer): .attention(layer: layer)
    case .mlp(let layer): .mlp(layer: layer)
    }
  }

  /// What it is, in words.
  package var description: String {
    switch self {
    case .head(let layer, let index): "\(ModuleSite.attention(layer: layer)).\(index)"
    case .embedding, .attention, .mlp: "\(module)"
    }
  }
}

extension CircuitGraph.Reader: CustomStringConvertible {
  /// The module that it is a part of; nil for what stands behind the blocks.
  package var module: ModuleSite? {
    switch self {
    case .mlp(let layer): .mlp(layer: layer)
    case .logits: nil
    case .query(let layer, _), .key(let layer, _), .value(let layer, _): .attention(layer: layer)
    }
  }

  var attentionLayer: Int? {
    if case .attention(let layer)? = module { layer } else { nil }
  }

  /// What it is, in words.
  package var description: String {
    switch self {
    case .query(let layer, let head): "\(ModuleSite.attention(layer: layer)).\(head).q"
    case .key(let layer, let head): "\(ModuleSite.attention(layer: layer)).\(head).k"
    case .value(let layer, let head): "\(ModuleSite.attention(layer: layer)).\(head).v"
    case .mlp(let layer): "\(ModuleSite.mlp(layer: layer))"
    case .logits: "logits"
    }
  }
}
