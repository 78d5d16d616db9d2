import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Gradients by activations")
struct SiteGradientTests {
  let batch = TokenBatch(TinyModels.rows([5, 3, 6, 2]))
  let selected = [2, 4, 7, 11, 15]

  /// A weighted sum of the selected tokens' logits.
  private func figure(_ model: DecoderModel) -> LogitFigure {
    var generator = SeededGenerator(seed: 3)
    let weights = generator.direction(selected.count * model.shape.vocabulary)
      .reshaped([selected.count, model.shape.vocabulary])
    return { (Double(dot($0.scalars, weights.scalars)), weights) }
  }

  /// The derivative of the figure if a site is moved along a direction of all its activations.
  private func numeric(
    _ model: DecoderModel, _ site: ActivationSite, _ pass: ForwardPass, along direction: Tensor,
    editing edits: [Intervention]
  ) -> Double {
    let step = Float(1e-2) * max(pass[site].norm, 1)
    func value(_ factor: Float) -> Double {
      let moved = pass[site] + direction.scaled(by: factor * step)
      let logits = model.forward(
        batch, recording: [], editing: edits + [.patch(site, with: moved)], logits: .at(selected)
      ).logits
      return figure(model)(logits).value
    }
    // Five points: the error of the three-point rule is visible in single precision.
    return (8 * (value(1) - value(-1)) - (value(2) - value(-2))) / (12 * Double(step))
  }

  private func expectGradients(
    _ model: DecoderModel, _ name: String, editing edits: [Intervention] = []
  ) {
    let sites = model.sites.filter {
      if case .pattern = $0 { return false }
      if case .attentionNorm = $0 { return !isIdle($0, edits) }
      return true
    }
    let result = model.siteGradients(
      of: figure(model), on: batch, at: Set(sites), recording: Set(sites), editing: edits,
      logits: .at(selected))
    let plain = model.forward(batch, recording: [], editing: edits, logits: .at(selected))
    expectClose(result.pass.logits, plain.logits, tolerance: 1e-5, name)
    var generator = SeededGenerator(seed: 7)
    for site in sites where !isIdle(site, edits) {
      let shape = result.pass[site].shape
      let direction = generator.direction(shape.reduce(1, *)).reshaped(shape)
      let analytic = Double(dot(result.gradients[site]?.scalars ?? [], direction.scalars))
      let numeric = numeric(model, site, result.pass, along: direction, editing: edits)
      let largest = Double(result.gradients[site]?.norm ?? 0) / Double(direction.count).squareRoot()
      #expect(
        abs(numeric - analytic) < 1e-2 * max(abs(numeric), largest) + 1e-5,
        "\(name)/\(site): \(analytic), numerically \(numeric)")
    }
  }

  /// Whether a site cannot be moved beside the edits: heads whose streams are edited apart share no norm.
  private func isIdle(_ site: ActivationSite, _ edits: [Intervention]) -> Bool {
    func streams(_ layer: Int) -> Set<ActivationSite> {
      [.queryStream(layer: layer), .keyStream(layer: layer), .valueStream(layer: layer)]
    }
    return switch site {
    case .attentionNorm(let layer): edits.contains { streams(layer).contains($0.site) }
    case .queryStream(let layer), .keyStream(let layer), .valueStream(let layer):
      edits.contains { $0.site == .attentionNorm(layer: layer) }
    default: false
    }
  }

  @Test(
    "every site's gradient agrees with finite differences",
    arguments: DecoderGradientTests.shapes.indices)
  func finiteDifferences(index: Int) {
    let shape = DecoderGradientTests.shapes[index]
    expectGradients(shape.model, shape.name)
  }

  @Test(
    "gradients pass edits of every kind", arguments: DecoderGradientTests.shapes.indices)
  func edited(index: Int) {
    let shape = DecoderGradientTests.shapes[index], model = shape.model
    var generator = SeededGenerator(seed: 11)
    let width = model.shape.width
    let edits = [
      Intervention(.add(generator.direction(width)), at: .embedding),
      .projectOut(.residualPre(layer: 0), generator.direction(width)),
      Intervention(.scale(0.6), at: .queryStream(layer: 1), head: 1),
      Intervention(
        .replace(generator.direction(width)), at: .valueStream(layer: 1), head: 0,
        positions: .last),
      Intervention(.scale(1.4), at: .headOutput(layer: 0), head: 0),
      .projectOut(.attentionOutput(layer: 1), generator.direction(width)),
      Intervention(.scale(0.5), at: .residualMid(layer: 0), positions: .indices([1, 4, 6])),
      Intervention(.scale(0.8), at: .mlpStream(layer: 1)),
      Intervention(
        .replace(generator.direction(width)), at: .mlpOutput(layer: 0), positions: .last),
      .projectOut(.residualPost(layer: 1), generator.direction(width)),
      Intervention(.scale(1.2), at: .finalNorm),
    ]
    expectGradients(model, shape.name, editing: edits)
  }

  @Test(
    "gradients pass edits inside of branches", arguments: DecoderGradientTests.shapes.indices)
  func editedInside(index: Int) {
    let shape = DecoderGradientTests.shapes[index], model = shape.model
    let inside: [ActivationSite] = [
      .attentionNorm(layer: 1), .query(layer: 0), .key(layer: 1), .value(layer: 0),
      .rotatedQuery(layer: 1), .rotatedKey(layer: 0), .mlpNorm(layer: 0), .mlpInput(layer: 1),
      .mlpActivation(layer: 0),
    ]
    let edits = inside.enumerated().map {
      Intervention(
        .scale($0.isMultiple(of: 2) ? 0.7 : 1.3), at: $1, positions: .indices([0, 3, 7]))
    }
    expectGradients(model, shape.name, editing: edits)
  }

  @Test(
    "updates that are kept beside the weights have part in gradients and in what single heads read")
  func adapted() {
    let base = LowRankTests.base
    let adapted = base.with(LowRankTests.lora.adapted(base.parameters))
    expectGradients(adapted, "adapted")
    let merged = base.with(LowRankTests.lora.merged(into: base.parameters))
    let edits = [
      Intervention(.scale(0.5), at: .queryStream(layer: 1), head: 2),
      Intervention(.scale(0.5), at: .valueStream(layer: 0), head: 1),
    ]
    let sites: Set<ActivationSite> = [.embedding, .keyStream(layer: 0)]
    func result(_ model: DecoderModel) -> SiteGradients {
      model.siteGradients(
        of: figure(model), on: batch, at: sites, recording: [], editing: edits,
        logits: .at(selected))
    }
    let (left, right) = (result(adapted), result(merged))
    expectClose(left.pass.logits, right.pass.logits, tolerance: 1e-5)
    for site in sites {
      expectClose(
        left.gradients[site] ?? Tensor([]), right.gradients[site] ?? Tensor([]), tolerance: 1e-4)
    }
  }

  @Test("nothing passes a stream that is replaced as a whole, and what follows it has a gradient")
  func replaced() {
    let model = TinyModels.llama(), site = ActivationSite.residualPost(layer: 0)
    let stream = model.forward(batch, recording: [site])[site]
    let result = model.siteGradients(
      of: figure(model), on: batch, at: [.embedding, .headOutput(layer: 0), .mlpInput(layer: 1)],
      recording: [], editing: [.patch(site, with: stream)], logits: .at(selected))
    #expect(result.gradients[.embedding]?.norm == 0)
    #expect(result.gradients[.headOutput(layer: 0)]?.norm == 0)
    #expect((result.gradients[.mlpInput(layer: 1)]?.norm ?? 0) > 1e-4)
  }

  @Test("gradients of what the heads and the MLP read add up to the stream's")
  func sums() throws {
    let model = TinyModels.llama(), width = model.shape.width
    let readers: [ActivationSite] = [
      .queryStream(layer: 1), .keyStream(layer: 1), .valueStream(layer: 1),
    ]
    let gradients = model.siteGradients(
      of: figure(model), on: batch,
      at: Set(
        readers + [
          .residualPre(layer: 1), .residualMid(layer: 1), .residualPost(layer: 1),
          .mlpStream(layer: 1),
        ]),
      logits: .at(selected)
    ).gradients
    func gradient(_ site: ActivationSite) throws -> Tensor { try #require(gradients[site]) }
    let heads = try readers.map(gradient).flatMap { all in
      (0..<all.columns / width).map { head in
        Tensor(
          shape: [all.rows, width],
          scalars: (0..<all.rows).flatMap { row in
            let scalars = Array(all.row(row))
            return scalars[head * width..<(head + 1) * width]
          })
      }
    }
    let mid = try gradient(.residualMid(layer: 1))
    expectClose(
      heads.reduce(mid, +), try gradient(.residualPre(layer: 1)), tolerance: 1e-5)
    expectClose(
      try gradient(.mlpStream(layer: 1)) + gradient(.residualPost(layer: 1)), mid, tolerance: 1e-5)
  }

  @Test("an edit of what one head reads reaches that head alone")
  func oneHead() {
    let model = TinyModels.llama(), query = ActivationSite.query(layer: 1)
    let plain = model.forward(batch, recording: [query])[query]
    let edited = model.forward(
      batch, recording: [query],
      editing: [Intervention(.scale(-1), at: .queryStream(layer: 1), head: 1)], logits: .none
    )[query]
    let width = model.shape.headWidth
    for token in 0..<batch.count {
      let (before, after) = (Array(plain.row(token)), Array(edited.row(token)))
      for (index, (a, b)) in zip(before, after).enumerated() {
        #expect(abs((index / width == 1 ? -a : a) - b) < 1e-5)
      }
    }
  }

  @Test("a hidden prefix takes no part in what is asked, but in the answer")
  func prefixed() throws {
    let model = TinyModels.llama(), prefix = [3, 9]
    let rows = (0..<batch.rows).map { Array(batch.row($0)) }
    let whole = TokenBatch(rows.map { [$0[0]] + prefix + $0.dropFirst() })
    let own = (0..<batch.rows).flatMap { row in
      whole.range(row).dropFirst(prefix.count)
    }
    let site = ActivationSite.residualPost(layer: 0)
    let last = (0..<batch.rows).map { batch.range($0).upperBound - 1 }
    let selections: [(asked: LogitSelection, tokens: [Int])] = [
      (.at(selected), selected), (.all, Array(0..<batch.count)), (.last, last),
    ]
    var generator = SeededGenerator(seed: 5)
    let direction = generator.direction(model.shape.width)
    for (asked, tokens) in selections {
      let figure: LogitFigure = { (Double($0.norm), $0.scaled(by: 1 / $0.norm)) }
      func edits(_ positions: Intervention.Positions) -> [Intervention] {
        [Intervention(.add(direction), at: .embedding, positions: positions)]
      }
      let hidden = model.reading(prefix: prefix).siteGradients(
        of: figure, on: batch, at: [site], recording: [site], editing: edits(.all), logits: asked)
      let shown = model.siteGradients(
        of: figure, on: whole, at: [site], recording: [site], editing: edits(.indices(Set(own))),
        logits: .at(tokens.map { own[$0] }))
      #expect(abs(hidden.value - shown.value) < 1e-5)
      expectClose(hidden.pass[site], shown.pass[site].rows(at: own), tolerance: 1e-6)
      expectClose(
        try #require(hidden.gradients[site]), try #require(shown.gradients[site]).rows(at: own),
        tolerance: 1e-5)
    }
  }
}
