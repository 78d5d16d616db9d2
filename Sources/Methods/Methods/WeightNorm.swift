package import Diffing
package import Tensors
internal import Transformers

/// Where weights moved and by how much.
///
/// The change of each tensor is measured relative to the tensor, after the weight decay that all matrices have
/// in common is taken off: it shrinks everything and is no evidence of anything.
package struct WeightNorm: DiffingMethod {
  package static let card = MethodCard(
    id: "weight-norm",
    summary: "Relative Frobenius norm of each weight change, by module and by token row.",
    source: "folklore; cautions after Minder et al., 2025 (arXiv 2510.13900)",
    questions: [.whether, .what, .where], access: [.weights],
    magnitude: Magnitude(
      "‖ΔW − dW‖ / ‖W‖ over all tensors (Frobenius), d the matrices' common decay, at most 0",
      unit: "share of the weights' norm"))

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let changes = pair.base.parameters.layout.names.map { ChangeSize($0, of: pair) }
    let decay = ChangeSize.commonDecay(changes)
    let groups = Dictionary(grouping: changes, by: \.module)
    var evidence = Evidence()
    evidence.magnitude = Double(ChangeSize.relative(changes, decay: decay))
    // Where every matrix only decayed, no module is ahead of another.
    evidence.sites = SiteClaim.ranking(
      ModuleSite.all(layers: pair.shape.layers).map { module in
        (module, ChangeSize.relative(groups[module] ?? [], decay: decay))
      })
    let moved = Set(changes.filter { $0.square(decay: decay) > 0 }.map(\.name))
    evidence.tokens = tokens(pair, moved, decay: decay, excluding: prompts.specialTokens)
    evidence.exhibits = pair.exhibits(try exhibits(pair, changes, decay: decay))
    return evidence
  }

  /// Tokens whose rows of the embedding or the unembedding moved, decay apart; nil if none did.
  private func tokens(
    _ pair: ModelPair, _ moved: Set<String>, decay: Double, excluding excluded: Set<Int>
  ) -> [TokenClaim]? {
    let names = pair.base.names
    // A tied model has one matrix under both roles: its rows count once.
    let matrices =
      names.embedding == names.unembedding
      ? [names.embedding] : [names.embedding, names.unembedding]
    let norms = matrices.filter(moved.contains).map { pair.rowNorms(ofChange: $0, decay: decay) }
    guard !norms.isEmpty else { return nil }
    return TokenClaim.roundRobin(norms.map { TokenClaim.ranking($0, excluding: excluded) })
  }
}

extension WeightNorm {
  private func exhibits(_ pair: ModelPair, _ changes: [ChangeSize], decay: Double) throws
    -> [Exhibit]
  {
    try [
      auditExhibit(BitAudit(pair, changes)), tensorMap(pair, changes, decay), headMap(pair, decay),
      tensorTable(pair, changes),
    ]
  }

  private func auditExhibit(_ audit: BitAudit) -> Exhibit {
    Exhibit(
      "Bits: \(audit.verdict)",
      .table(
        columns: [
          "tensor", "changed", "of", "rows changed", "of", "unmoved to 1e-3", "to 1e-2",
        ],
        rows: audit.tensors.filter { $0.changed > 0 }.map {
          [
            .text($0.name), .count($0.changed), .count($0.count), .count($0.changedRows),
            .count($0.rows), .number($0.unmoved[0]), .number($0.unmoved[1]),
          ]
        }))
  }

  /// Relative change, layer by kind of tensor.
  private func tensorMap(_ pair: ModelPair, _ changes: [ChangeSize], _ decay: Double) -> Exhibit {
    let names = pair.base.names
    let kinds = names.blocks.first?.map(\.title) ?? []
    let byName = Dictionary(uniqueKeysWithValues: changes.map { ($0.name, $0) })
    let values = names.blocks.map { block in
      block.map { tensor in byName[tensor.name].map { ChangeSize.relative([$0], decay: decay) } ?? 0
      }
    }
    return Exhibit(
      "Relative change, block by tensor",
      .heatMap(rows: values.indices.map { "block \($0)" }, columns: kinds, values: values))
  }

  /// Relative change of each head's slices of the four projections.
  private func headMap(_ pair: ModelPair, _ decay: Double) -> Exhibit {
    let shape = pair.shape
    let values = (0..<shape.layers).map { layer in
      (0..<shape.heads).map(HeadSlices(pair, layer: layer, decay: decay).relativeChange)
    }
    return Exhibit(
      "Relative change, block by head",
      .heatMap(
        rows: values.indices.map { "block \($0)" }, columns: (0..<shape.heads).map { "head \($0)" },
        values: values))
  }

  private func tensorTable(_ pair: ModelPair, _ changes: [ChangeSize]) throws
    -> Exhibit
  {
    let rows = try changes.filter { $0.square > 0 }.map { change -> [Exhibit.Cell] in
      let values =
        change.isMatrix ? try pair.spectrum(ofChange: change.name, keeping: 1).values : []
      return [
        .text(change.name), .number(Float(change.norm)),
        values.first.map(Exhibit.Cell.number) ?? .none,
        change.isMatrix ? .number(values.reduce(0, +)) : .none, .number(Float(change.cosine)),
      ]
    }
    return Exhibit(
      "Norms of each change",
      .table(columns: ["tensor", "frobenius", "spectral", "nuclear", "cosine"], rows: rows))
  }
}

/// What each head of a block reads with and writes with.
///
/// Rows of the query, key and value projections, columns of the output projection. Heads that share keys
/// and values share those rows.
private struct HeadSlices {
  private struct Projection {
    let role: TensorRole
    let base: Tensor
    /// Nil if it did not change.
    let change: Tensor?
  }

  private let projections: [Projection]
  private let shape: ModelShape

  init(_ pair: ModelPair, layer: Int, decay: Double) {
    shape = pair.shape
    let roles: [TensorRole] = [.query, .key, .value, .attentionOutput]
    projections = roles.compactMap { role in
      pair.base.names.tensor(role, layer: layer).map { name in
        Projection(
          role: role, base: pair.base.parameters[name],
          change: pair.isChanged(name) ? pair.change(of: name, decay: decay) : nil)
      }
    }
  }

  func relativeChange(head: Int) -> Float {
    func sum(_ tensor: (Projection) -> Tensor?) -> Double {
      projections.reduce(0.0) { sum, part in
        sum + (tensor(part).map { square($0, part.role, head: head) } ?? 0)
      }
    }
    return ChangeSize.relative(sum(\.change), to: sum(\.base))
  }

  /// The squared norm of a head's slice.
  private func square(_ tensor: Tensor, _ role: TensorRole, head: Int) -> Double {
    let isShared = role == .key || role == .value
    let index = isShared ? head * shape.keyHeads / shape.heads : head
    let range = index * shape.headWidth..<(index + 1) * shape.headWidth
    let slices =
      role == .attentionOutput
      ? (0..<tensor.rows).map { tensor.row($0).dropFirst(range.lowerBound).prefix(range.count) }
      : range.map(tensor.row)
    return slices.reduce(0.0) { sum, slice in
      slice.reduce(sum) { $0 + Double($1) * Double($1) }
    }
  }
}
