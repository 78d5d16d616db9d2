internal import Tensors

/// What one forward pass records and edits; shards share it and write to rows of their own.
struct SiteHooks: Sendable {
  let batch: TokenBatch
  private let interventions: [ActivationSite: [Intervention]]
  private let recordings: [ActivationSite: Matrix]
  /// The first residual stream that matters.
  ///
  /// 0, unless the first site that is touched is a later stream and replaced as a whole: then nothing before it is
  /// computed.
  let firstStream: Int

  /// Describes what one pass does at its sites.
  ///
  /// - Parameters:
  ///   - sites: Those of the model, in the order of the computation.
  ///   - recordings: Where recordings are written, shaped `[tokens, width of the site]`.
  ///   - isWhole: Whether the pass starts at the tokens even if nothing of them is left.
  init(
    _ sites: [ActivationSite], batch: TokenBatch, recordings: [ActivationSite: Matrix],
    editing interventions: [Intervention], isWhole: Bool = false
  ) {
    self.batch = batch
    self.recordings = recordings
    let edits = Dictionary(grouping: interventions, by: \.site)
    self.interventions = edits
    let first = sites.first { edits[$0] != nil || recordings[$0] != nil }
    let isReplaced = interventions.contains { $0.site == first && $0.replacesAll(of: batch) }
    firstStream = isReplaced && !isWhole ? first?.stream ?? 0 : 0
  }

  /// How many blocks of so many are run until all is recorded.
  func blocksRun(of layers: Int) -> Int {
    recordings.keys.map { $0.blocksRun(of: layers) }.max() ?? 0
  }

  func touches(_ site: ActivationSite) -> Bool {
    interventions[site] != nil || recordings[site] != nil
  }

  func edits(_ site: ActivationSite) -> Bool { interventions[site] != nil }

  /// Edits and then records one shard's activations at a site.
  ///
  /// Edits come first, so that a recording shows what the rest of the pass reads. Columns of a head h of width w are
  /// h·w ..< (h + 1)·w; the window of a shard is a part of the batch's rows, and its recording the same rows of a
  /// matrix that all shards write to.
  ///
  /// - Parameters:
  ///   - window: Shaped `[tokens of the shard, width]`.
  ///   - tokens: Which tokens of the batch the rows are.
  ///   - headWidth: Columns of one head, at sites that have heads.
  func touch(_ site: ActivationSite, _ window: Matrix, tokens: Range<Int>, headWidth: Int) {
    edit(site, window, tokens: tokens, headWidth: headWidth)
    record(site, window, tokens: tokens)
  }

  /// Records one shard's activations, or gradient, at a site.
  func record(_ site: ActivationSite, _ window: Matrix, tokens: Range<Int>) {
    recordings[site]?.rows(tokens).copy(window)
  }

  /// Edits one shard's activations at a site.
  func edit(_ site: ActivationSite, _ window: Matrix, tokens: Range<Int>, headWidth: Int) {
    for intervention in interventions[site] ?? [] {
      let range = columns(of: intervention, window, headWidth: headWidth)
      intervention.apply(to: window.columns(range), tokens: tokens, columns: range, batch: batch)
    }
  }

  /// Records one shard's gradient by the edited activations of a site and makes it that by the unedited ones.
  func touchGradient(_ site: ActivationSite, _ window: Matrix, tokens: Range<Int>, headWidth: Int) {
    record(site, window, tokens: tokens)
    pullBack(site, window, tokens: tokens, headWidth: headWidth)
  }

  /// Makes one shard's gradient by the edited activations of a site that by the unedited ones.
  func pullBack(_ site: ActivationSite, _ window: Matrix, tokens: Range<Int>, headWidth: Int) {
    for intervention in (interventions[site] ?? []).reversed() {
      let range = columns(of: intervention, window, headWidth: headWidth)
      intervention.applyGradient(
        to: window.columns(range), tokens: tokens, columns: range, batch: batch)
    }
  }

  private func columns(of edit: Intervention, _ window: Matrix, headWidth: Int) -> Range<Int> {
    edit.head.map { $0 * headWidth..<($0 + 1) * headWidth } ?? 0..<window.columns
  }
}
