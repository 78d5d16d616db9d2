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
