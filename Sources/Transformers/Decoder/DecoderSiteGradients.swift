package import Tensors

extension DecoderModel {
  package func siteGradients(
    of figure: (Tensor) -> (value: Double, gradient: Tensor), on batch: TokenBatch,
    at sites: Set<ActivationSite>,
    recording recorded: Set<ActivationSite>, editing interventions: [Intervention],
    logits selection: LogitSelection
  ) -> SiteGradients {
    let edited = Set(interventions.map(\.site))
    for site in sites.union(edited) {
      precondition(site.hasGradient(editing: edited), "No gradient passes \(site)")
    }
    let run = DifferentiatedPass(
      self, batch, firstLayer: sites.map(\.firstLayer).min() ?? shape.layers,
      selected: selectedTokens(batch, selection), editing: interventions)
    let pass = run.forward(recording: Array(recorded))
    let (value, gradient) = figure(pass.logits)
    precondition(gradient.shape == pass.logits.shape, "The figure's gradient has another shape")
    return SiteGradients(
      value: value, pass: pass,
      gradients: run.gradients(of: gradient, logits: pass.logits, at: Array(sites)))
  }
}

extension ActivationSite {
  /// The first block that a gradient on its way to this site goes back through.
  fileprivate var firstLayer: Int {
    self == .finalNorm ? .max : max(0, blocksRun(of: .max) - 1)
  }

  fileprivate func hasGradient(editing edited: Set<ActivationSite>) -> Bool {
    switch self {
    case .pattern: false
    case .attentionNorm(let layer):
      edited.isDisjoint(with: [
        .queryStream(layer: layer), .keyStream(layer: layer), .valueStream(layer: layer),
      ])
    default: true
    }
  }
}

/// A forward pass whose activations are kept for the way back.
private final class DifferentiatedPass {
  private let model: DecoderModel
  private let weights: DecoderModel.Weights
  private let read: ShardedBatch
  private let firstLayer: Int
  private let selected: [Int]
  private let interventions: [Intervention]
  private var shards: [ShardPass] = []

  init(
    _ model: DecoderModel, _ batch: TokenBatch, firstLayer: Int, selected: [Int],
    editing interventions: [Intervention]
  ) {
    self.model = model
    weights = model.weights
    self.firstLayer = min(firstLayer, model.parts.layers)
    self.selected = selected
    self.interventions = interventions
    // What is formed when it is read is formed by one shard, once on each way.
    read = ShardedBatch(batch, shards: weights.areHeld ? model.shardCount(batch.count) : 1)
  }

  /// Runs the blocks; what they compute is kept.
  func forward(recording sites: [ActivationSite]) -> ForwardPass {
    let filled = Tensor.filled(shapes(sites) + [(selected.count, model.parts.vocabulary)]) {
      windows in
      let hooks = hooks(sites, windows)
      let shards = read.shards.indices.map {
        ShardPass(
          $0, of: read, model.parts, weights, hooks, Arena(), readsLogits: true,
          retainingFrom: firstLayer)
      }
      let selected = selected, logits = windows[sites.count]
      Shards.forEach(shards.count) {
        shards[$0].pass.run(shards[$0].tokens)
        shards[$0].readLogits(of: selected, into: logits)
      }
      // The windows of the hooks do not outlive this closure.
      self.shards = shards.map(\.withoutHooks)
    }
    return ForwardPass(
      batch: read.batch, recordings: Dictionary(uniqueKeysWithValues: zip(sites, filled)),
      logits: filled[sites.count])
  }

  /// Goes back from the gradient of the logits, once, for the way back overwrites what was kept.
  func gradients(
    of gradient: Tensor, logits: Tensor, at sites: [ActivationSite]
  ) -> [ActivationSite: Tensor] {
    let filled = Tensor.filled(shapes(sites)) { windows in
      let hooks = hooks(sites, windows), head = weights.head, shards = shards
      let uncapped = uncapped(Matrix(gradient), logits)
      let selected = selected, firstLayer = firstLayer
      Shards.forEach(shards.count) {
        shards[$0].goBack(from: uncapped, selected, head, hooks, firstLayer: firstLayer)
      }
    }
    return Dictionary(uniqueKeysWithValues: zip(sites, filled))
  }

  /// The gradient of the logits before their cap.
  private func uncapped(_ gradient: Matrix, _ logits: Tensor) -> Matrix {
    if let cap = model.parts.logitCap { softCapGradient(gradient, capped: Matrix(logits), at: cap) }
    return gradient
  }

  private func shapes(_ sites: [ActivationSite]) -> [(rows: Int, columns: Int)] {
    sites.map {
      (read.batch.count, model.parts.width(of: $0, longestRow: read.batch.longestRow))
    }
  }

  private func hooks(_ sites: [ActivationSite], _ windows: [Matrix]) -> SiteHooks {
    for window in windows.prefix(sites.count) { window.fill(0) }
    return SiteHooks(
      model.sites, batch: read.batch,
      recordings: Dictionary(uniqueKeysWithValues: zip(sites, windows)), editing: interventions,
      isWhole: true)
  }
}

extension ShardPass {
  /// Goes back from the gradient of the selected tokens' logits, which has no cap behind it.
  fileprivate func goBack(
    from gradient: Matrix, _ selected: [Int], _ head: Matrix, _ hooks: SiteHooks, firstLayer: Int
  ) {
    let hidden = arena.zeros(rows: tokens.count, columns: head.columns)
    let mine = own(selected)
    if let first = mine.first, let last = mine.last {
      // ∂x = ∂z H, of the shard's rows of both.
      let rows = arena.matrix(rows: mine.count, columns: head.columns)
      multiply(gradient.rows(first..<last + 1), head, into: rows)
      for (row, index) in mine.enumerated() {
        let token = selected[index] - pass.tokenRange.lowerBound
        addScaled(rows.rows(row..<row + 1), to: hidden.rows(token..<token + 1))
      }
    }
    let back = DecoderGradientPass(
      parts: pass.parts, weights: pass.weights,
      gradients: DecoderGradients(nothingOf: pass.parts), segments: pass.segments,
      activations: pass.activations, firstLayer: firstLayer, arena: arena, hooks: hooks,
      tokenRange: pass.tokenRange)
    back.run(tokens, finalGradient: hidden)
  }
}
