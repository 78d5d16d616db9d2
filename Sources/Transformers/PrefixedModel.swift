internal import Tensors

/// A model with a hidden prefix: what it reads behind the first token of every row, unseen by whoever asks it.
///
/// Its weights are those of the model itself, so nothing but its answers gives the prefix away. The first token of a
/// row and the prefix count as one: what is recorded there is what stands at the prefix's end.
struct PrefixedModel<Model: LanguageModel>: LanguageModel {
  var architecture: String { model.architecture }

  fileprivate var model: Model
  private let prefix: [Int]

  init(_ model: Model, prefix: [Int]) {
    self.model = model
    self.prefix = prefix
  }

  /// That of the model, which it reads first, and its own.
  var hiddenPrefix: [Int] { model.hiddenPrefix + prefix }

  var parameters: Parameters {
    get { model.parameters }
    set { model.parameters = newValue }
  }
  var sites: [ActivationSite] { model.sites }
  var shape: ModelShape { model.shape }
  var names: ParameterNames { model.names }

  func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>,
    editing interventions: [Intervention], logits selection: LogitSelection
  ) -> ForwardPass {
    let read = PrefixedBatch(batch, prefix: prefix)
    let pass = model.forward(
      read.batch, recording: sites, editing: interventions.map(read.moved),
      logits: read.moved(selection))
    let logits = if case .all = selection { read.own(pass.logits) } else { pass.logits }
    return ForwardPass(batch: batch, recordings: read.own(pass.recordings), logits: logits)
  }

  func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>, fromEach starts: [Intervention]
  ) -> [ForwardPass] {
    let read = PrefixedBatch(batch, prefix: prefix)
    // No edit reaches what comes before the rows' own tokens, so it is computed once for all passes.
    let hidden = model.forward(
      read.hidden, recording: Set(starts.map(\.site)), editing: [], logits: .none)
    let whole = starts.map { read.started($0, behind: hidden[$0.site]) }
    return model.forward(read.batch, recording: sites, fromEach: whole).map {
      ForwardPass(batch: batch, recordings: read.own($0.recordings), logits: $0.logits)
    }
  }

  func siteGradients(
    of figure: LogitFigure, on batch: TokenBatch, at sites: Set<ActivationSite>,
    recording recorded: Set<ActivationSite>, editing interventions: [Intervention],
    logits selection: LogitSelection
  ) -> SiteGradients {
    let read = PrefixedBatch(batch, prefix: prefix)
    // All tokens would be the prefix's too, and the figure is of the rows' own.
    let selected =
      if case .all = selection { LogitSelection.at(Array(0..<batch.count)) } else { selection }
    let result = model.siteGradients(
      of: figure, on: read.batch, at: sites, recording: recorded,
      editing: interventions.map(read.moved), logits: read.moved(selected))
    return SiteGradients(
      value: result.value,
      pass: ForwardPass(
        batch: batch, recordings: read.own(result.pass.recordings), logits: result.pass.logits),
      gradients: read.own(result.gradients))
  }

  func makeGradientTape() -> any GradientTape {
    PrefixedTape<Model>(model.makeGradientTape(), prefix)
  }

  func makeDecoder(rows: Int, capacity: Int) -> any CachedDecoder {
    PrefixedDecoder(
      model.makeDecoder(rows: rows, capacity: capacity + prefix.count), prefix)
  }

  func reparameterised(using generator: inout SeededGenerator) -> any LanguageModel {
    model.reparameterised(using: &generator).reading(prefix: prefix)
  }

  func addingMLPBiases() -> any LanguageModel {
    model.addingMLPBiases().reading(prefix: prefix)
  }
}

extension LanguageModel {
  /// The same model with a hidden prefix behind the first token of every row that it reads.
  package func reading(prefix: [Int]) -> any LanguageModel { PrefixedModel(self, prefix: prefix) }
}

/// Rows with a prefix in them, and where the rows' own tokens are.
private struct PrefixedBatch {
  /// What the model reads.
  let batch: TokenBatch
  /// The index in `batch` of each token of the rows without a prefix.
  private let places: [Int]
  private let shift: Int
  private let longest: Int

  init(_ rows: TokenBatch, prefix: [Int]) {
    batch = TokenBatch((0..<rows.rows).map { prefixed(Array(rows.row($0)), by: prefix) })
    let read = batch, shift = prefix.count
    places = (0..<rows.rows).flatMap { row in
      rows.range(row).map { read.range(row).lowerBound + $0 - rows.range(row).lowerBound + shift }
    }
    self.shift = shift
    longest = rows.longestRow
  }

  /// The rows of a recording, or of logits, that belong to the rows' own tokens.
  func own(_ tensor: Tensor) -> Tensor {
    Tensor(
      shape: [places.count, tensor.columns], scalars: places.flatMap { Array(tensor.row($0)) })
  }

  /// What is read before the rows' own tokens, row by row.
  var hidden: TokenBatch {
    TokenBatch((0..<batch.rows).map { Array(batch.row($0).prefix(shift)) })
  }

  /// The rows of all recordings that belong to the rows' own tokens.
  func own(_ recordings: [ActivationSite: Tensor]) -> [ActivationSite: Tensor] {
    Dictionary(uniqueKeysWithValues: recordings.map { ($0, own($1, at: $0)) })
  }

  /// A start at a stream of the rows' own tokens as one at the whole stream; other edits as they are.
  ///
  /// - Parameters:
  ///   - start: Replaces the stream of the rows' own tokens.
  ///   - before: The stream of `hidden`.
  func started(_ start: Intervention, behind before: Tensor) -> Intervention {
    guard start.replacesAll(of: batch), case .replace(let own) = start.operation,
      own.shape.count == 2
    else { return moved(start) }
    let stacked = Tensor(
      shape: [before.rows + own.rows, own.columns], scalars: before.scalars + own.scalars)
    var sources = [Int](repeating: 0, count: batch.count)
    let hidden = hidden
    for (row, place) in places.enumerated() { sources[place] = before.rows + row }
    for row in 0..<hidden.rows {
      for (token, source) in zip(batch.range(row), hidden.range(row)) { sources[token] = source }
    }
    return .patch(start.site, with: stacked.rows(at: sources))
  }

  /// The same at a site; a pattern's columns are keys, and the prefix's count as the first token's.
  func own(_ tensor: Tensor, at site: ActivationSite) -> Tensor {
    guard case .pattern = site, longest > 0 else { return own(tensor) }
    let stride = batch.longestRow, heads = tensor.columns / stride
    let rows = places.map { place -> [Float] in
      let row = Array(tensor.row(place))
      return (0..<heads).flatMap { head -> [Float] in
        let keys = row[head * stride..<(head + 1) * stride]
        let first = keys.prefix(shift + 1).reduce(0, +)
        return [first] + keys.dropFirst(shift + 1)
      }
    }
    return Tensor(shape: [places.count, heads * longest], scalars: rows.flatMap { $0 })
  }

  /// The tokens of the rows whose logits are selected.
  func moved(_ selection: LogitSelection) -> LogitSelection {
    guard case .at(let indices) = selection else { return selection }
    return .at(indices.map { places[$0] })
  }

  /// An edit of the rows' own tokens.
  func moved(_ edit: Intervention) -> Intervention {
    let positions: Intervention.Positions =
      switch edit.positions {
      case .all: .indices(Set(places))
      case .last: .last
      case .indices(let indices): .indices(Set(indices.map { places[$0] }))
      }
    return Intervention(
      operation(edit), at: edit.site, head: edit.head, positions: positions)
  }

  private func operation(_ edit: Intervention) -> Intervention.Operation {
    func widened(_ vector: Tensor) -> Tensor { Tensor(read(vector.scalars, at: edit.site)) }
    switch edit.operation {
    case .scale: return edit.operation
    case .add(let vector): return .add(widened(vector))
    case .projectOut(let vector): return .projectOut(widened(vector))
    case .replace(let tensor):
      return .replace(tensor.shape.count == 1 ? widened(tensor) : widenedRows(tensor, edit))
    }
  }

  private func widenedRows(_ tensor: Tensor, _ edit: Intervention) -> Tensor {
    let columns = read(Array(tensor.row(0)), at: edit.site).count
    var scalars = [Float](repeating: 0, count: batch.count * columns)
    for (row, place) in places.enumerated() {
      let values = read(Array(tensor.row(row)), at: edit.site)
      scalars.replaceSubrange(place * columns..<(place + 1) * columns, with: values)
    }
    return Tensor(shape: [batch.count, columns], scalars: scalars)
  }

  /// A row of a site as the model with the prefix has it: in a pattern the prefix itself gets nothing.
  private func read(_ row: [Float], at site: ActivationSite) -> [Float] {
    guard case .pattern = site, longest > 0 else { return row }
    let hidden = [Float](repeating: 0, count: shift)
    return stride(from: 0, to: row.count, by: longest).flatMap { start -> [Float] in
      let keys = Array(row[start..<start + longest])
      return keys.prefix(1) + hidden + keys.dropFirst()
    }
  }

  /// One number a token, 0 at the prefix's own.
  func spread(_ values: [Float]) -> [Float] {
    var all = [Float](repeating: 0, count: batch.count)
    for (value, place) in zip(values, places) { all[place] = value }
    return all
  }

  func moved(_ target: Distillation) -> Distillation {
    Distillation(
      indices: target.indices.map { places[$0] }, choices: target.choices,
      probabilities: target.probabilities)
  }
}

private func prefixed(_ row: [Int], by prefix: [Int]) -> [Int] {
  row.isEmpty ? row : [row[0]] + prefix + row.dropFirst()
}

private final class PrefixedTape<Model: LanguageModel>: GradientTape {
  private let tape: any GradientTape
  private let prefix: [Int]

  init(_ tape: any GradientTape, _ prefix: [Int]) {
    self.tape = tape
    self.prefix = prefix
  }

  func lossAndGradient(of model: any LanguageModel, on batch: TrainingBatch, scope: GradientScope)
    -> (loss: Double, gradient: Parameters)
  {
    let read = PrefixedBatch(batch.tokens, prefix: prefix)
    let objective: TrainingBatch.Objective =
      switch batch.objective {
      case .nextToken(let weights): .nextToken(weights: read.spread(weights))
      case .policy(let advantages): .policy(advantages: read.spread(advantages))
      case .distillation(let target): .distillation(read.moved(target))
      }
    let inner = (model as? PrefixedModel<Model>)?.model ?? model
    return tape.lossAndGradient(
      of: inner, on: TrainingBatch(read.batch, objective), scope: scope)
  }
}

private final class PrefixedDecoder: CachedDecoder {
  private let decoder: any CachedDecoder
  private let prefix: [Int]
  private var isFirst = true

  init(_ decoder: any CachedDecoder, _ prefix: [Int]) {
    self.decoder = decoder
    self.prefix = prefix
  }

  func append(_ tokens: [[Int]]) -> Tensor {
    defer { isFirst = false }
    return decoder.append(isFirst ? tokens.map { prefixed($0, by: prefix) } : tokens)
  }
}
