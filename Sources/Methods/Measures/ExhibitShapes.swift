internal import Diffing
internal import Transformers

extension Exhibit {
  /// Curves over a model's blocks.
  static func overBlocks(_ title: String, _ lines: [Line]) -> Exhibit {
    let points = (0..<(lines.first?.values.count ?? 0)).map(String.init)
    return Exhibit(title, .curves(axis: "block", points: points, lines: lines))
  }

  /// What a title adds if an exhibit reads fewer than the claim does: ", 8 of 32 prompts".
  static func reading(_ shown: Int, of all: Int, _ noun: String) -> String {
    shown < all ? ", \(shown) of \(all) \(noun)" : ""
  }

  /// The ten words that are claimed first, and a figure of each.
  static func words(_ title: String, _ claims: [TokenClaim], _ figure: String) -> Exhibit {
    Exhibit(
      title,
      .table(
        columns: ["word", figure],
        rows: claims.prefix(10).map { [.token($0.token), .number($0.score)] }))
  }

  /// The ten texts with the highest scores.
  static func first(_ title: String, of texts: [[Int]], by scores: [Float]) -> Exhibit {
    Exhibit(
      title,
      .texts(
        Array(
          zip(texts, scores).map { .init($0, score: $1) }.sorted { $0.score > $1.score }.prefix(10))
      ))
  }

  /// The row of a text that holds the largest of some tokens' values.
  static func strip(_ title: String, _ values: [Float], at indices: [Int], of text: TokenBatch)
    -> Exhibit
  {
    let most = values.indices.max { values[$0] < values[$1] } ?? 0
    let row = (0..<text.rows).first { text.range($0).contains(indices[most]) } ?? 0
    let known = Dictionary(uniqueKeysWithValues: zip(indices, values))
    return Exhibit(
      title, .strip(tokens: Array(text.row(row)), values: text.range(row).map { known[$0] ?? 0 }))
  }
}
