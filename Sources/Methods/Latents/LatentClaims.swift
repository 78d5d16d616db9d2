internal import Dictionaries
internal import Diffing
internal import Foundation
internal import Tensors
internal import Transformers

/// Latents of a dictionary in the order of what they say about a pair, and what is claimed of it.
struct LatentClaims {
  /// The strongest first.
  let order: [Int]
  /// What each latent writes into the stream, or how much more, shaped `[latents, width]`.
  let directions: Tensor
  /// Of the tokens that count.
  let codes: SparseCodes
  /// Of the same tokens in the base, if latents are looked for that grew.
  private let before: SparseCodes?

  /// - Parameters:
  ///   - order: The strongest first; latents that say nothing are not there.
  ///   - directions: In the stream's own size.
  init(order: [Int], _ directions: Tensor, _ codes: SparseCodes, from before: SparseCodes? = nil) {
    self.order = order
    self.directions = directions
    self.codes = codes
    self.before = before
  }

  /// Orders latents by their sizes, as shares of the stream's norm; one of rounding says nothing.
  init(by sizes: [Float], _ directions: Tensor, _ codes: SparseCodes) {
    self.init(
      order: sizes.descendingIndices.filter { sizes[$0] > Decoding.rounding }, directions, codes)
  }

  private func direction(_ latent: Int) -> Tensor { Tensor(Array(directions.row(latent))) }

  /// Tokens along the first latents, steering along the first one, and the prompts at whose end it is most active, or has grown most.
  func evidence(
    reading count: Int, of pair: ModelPair, _ streams: CountedStreams, on prompts: PromptSet
  ) -> Evidence {
    var evidence = Evidence()
    guard let first = order.first else { return evidence }
    evidence.tokens = Decoding.tokens(
      along: order.prefix(count).map(direction), of: pair, excluding: prompts.specialTokens)
    evidence.interventions = Decoding.steering(
      layer: streams.layer, direction(first), activationNorm: streams.activationNorm
    ).map { [$0] }
    if prompts.access == .pool {
      evidence.inputs = InputClaim.ranking(streams.last.map { activity(of: first, at: $0) })
    }
    return evidence
  }

  private func activity(of latent: Int, at row: Int?) -> Float {
    guard let row else { return 0 }
    return codes.value(of: latent, at: row) - (before?.value(of: latent, at: row) ?? 0)
  }

  /// The first latents as people see them: a column of figures each, and the token that they promote most.
  ///
  /// - Parameters:
  ///   - title: What the table shows.
  ///   - count: Latents at most.
  ///   - columns: Names of figures with the figures of each latent; nil where there is none.
  func table(
    _ title: String, first count: Int, of pair: ModelPair, excluding excluded: Set<Int>,
    _ columns: [(name: String, value: (Int) -> Float?)]
  ) -> Exhibit {
    Exhibit(
      title,
      .table(
        columns: ["latent"] + columns.map(\.name) + ["promotes"],
        rows: order.prefix(count).map { latent in
          let promoted = Decoding.tokens(
            along: [direction(latent)], of: pair, excluding: excluded)?.first { $0.sign == 1 }
          return [.count(latent)]
            + columns.map { $0.value(latent).map(Exhibit.Cell.number) ?? .none }
            + [promoted.map { .token($0.token) } ?? .none]
        }))
  }
}

extension SparseCodes {
  /// How active a latent is in a row.
  func value(of latent: Int, at row: Int) -> Float {
    rows[row].first { $0.latent == latent }?.value ?? 0
  }

  /// √(mean f²) of each latent over some rows, shaped `[latents]`.
  func rootMeanSquares(over rows: [Int]) -> [Float] {
    means(over: rows) { $0 * $0 }.map { $0.squareRoot() }
  }

  /// In which share of some rows each latent is active.
  func activeShares(over rows: [Int]) -> [Float] { means(over: rows) { _ in 1 } }
}

/// A number in a title, to two digits.
func rounded(_ value: Double) -> String { String(format: "%.2g", value) }
