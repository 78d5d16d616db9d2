internal import Transformers

/// Something for people to look at: what a method saw, beside what it claims.
///
/// Exhibits are not scored. Tokens are ids and prompts are rows, so that an exhibit can be shown in
/// words by whoever knows them.
package struct Exhibit: Codable, Equatable, Sendable {
  package let title: String
  package let content: Content

  package enum Content: Codable, Equatable, Sendable {
    case table(columns: [String], rows: [[String]])
    /// Values by row and column, such as layer and module.
    case heatMap(rows: [String], columns: [String], values: [[Float]])
    /// Lines over one axis, such as layers or intensities.
    case curves(axis: String, points: [String], lines: [Line])
    /// Singular values or the like, the largest first.
    case spectrum([Line])
    /// One text with a value a token.
    case strip(tokens: [Int], values: [Float])
    /// Lists of tokens, each under a name.
    case tokens([TokenList])
    /// Prompts of the pool by a score, the highest first.
    case inputs([InputClaim])
    /// Texts by a score, the highest first.
    case texts([ScoredText])
  }

  package struct Line: Codable, Equatable, Sendable {
    package let name: String
    package let values: [Float]

    package init(_ name: String, _ values: [Float]) {
      self.name = name
      self.values = values
    }
  }

  package struct TokenList: Codable, Equatable, Sendable {
    package let name: String
    package let tokens: [Int]

    package init(_ name: String, _ tokens: [Int]) {
      self.name = name
      self.tokens = tokens
    }
  }

  package struct ScoredText: Codable, Equatable, Sendable {
    package let tokens: [Int]
    package let score: Float

    package init(_ tokens: [Int], score: Float) {
      self.tokens = tokens
      self.score = score
    }
  }

  package init(_ title: String, _ content: Content) {
    self.title = title
    self.content = content
  }

  /// Curves over a model's blocks.
  static func overBlocks(_ title: String, _ lines: [Line]) -> Exhibit {
    let points = (0..<(lines.first?.values.count ?? 0)).map(String.init)
    return Exhibit(title, .curves(axis: "block", points: points, lines: lines))
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
