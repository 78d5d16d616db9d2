/// Something for people to look at: what a method saw, beside what it claims.
///
/// Exhibits are not scored. Tokens are ids and prompts are rows, so that an exhibit can be shown in
/// words by whoever knows them.
public struct Exhibit: Equatable, Sendable {
  /// What it shows, in a line.
  public let title: String
  /// What is shown.
  public let content: Content

  /// The shapes that an exhibit can have.
  public enum Content: Equatable, Sendable {
    case table(columns: [String], rows: [[Cell]])
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

  /// One entry of a table.
  public enum Cell: Equatable, Sendable {
    case text(String)
    case number(Float)
    /// A token, shown in words where somebody knows them.
    case token(Int)
    /// Nothing to say.
    case none
  }

  /// Numbers under a name.
  public struct Line: Equatable, Sendable {
    /// The name.
    public let name: String
    /// The numbers.
    public let values: [Float]

    /// Names numbers.
    public init(_ name: String, _ values: [Float]) {
      self.name = name
      self.values = values
    }
  }

  /// Tokens under a name.
  public struct TokenList: Equatable, Sendable {
    /// The name.
    public let name: String
    /// Token ids.
    public let tokens: [Int]

    /// Names tokens.
    public init(_ name: String, _ tokens: [Int]) {
      self.name = name
      self.tokens = tokens
    }
  }

  /// A text with a score.
  public struct ScoredText: Equatable, Sendable {
    /// Token ids.
    public let tokens: [Int]
    /// The score.
    public let score: Float

    /// Scores a text.
    public init(_ tokens: [Int], score: Float) {
      self.tokens = tokens
      self.score = score
    }
  }

  /// Creates an exhibit.
  public init(_ title: String, _ content: Content) {
    self.title = title
    self.content = content
  }
}

extension Exhibit.Cell: ExpressibleByStringLiteral {
  /// A text.
  public init(stringLiteral text: String) { self = .text(text) }

  /// A count.
  public static func count(_ number: Int) -> Exhibit.Cell { .number(Float(number)) }
}
