public import Transformers

/// What a method may look at; scores at different levels are never pooled.
public enum AccessLevel: String, Codable, CaseIterable, Sendable {
  /// The weights of both models, and no text.
  case weights
  /// Text from domains in which nothing was planted.
  case unrelated
  /// Unlabelled prompts from every domain, the relevant ones among them.
  case pool
  /// Free sampling from both models.
  case sampling
}

/// The unlabelled text that a method is given at one level of access.
public struct PromptSet: Sendable {
  /// The level of access that it belongs to.
  public let access: AccessLevel
  /// Rows of text at `unrelated`, prompts at `pool`, none otherwise.
  public let text: TokenBatch
  /// Ordinary text beside the prompts of a pool, to calibrate on; empty if there is none.
  public let reference: TokenBatch
  /// The token that starts each document; nil if the models know none.
  public let documentStart: Int?
  /// Tokens that no ranking should name, such as padding.
  public let specialTokens: Set<Int>

  /// How much of the text is read where all of it would cost too much.
  package let limits: ReadingLimits

  /// Gathers text; answers are compared after every token that counts.
  public init(
    access: AccessLevel, text: TokenBatch, reference: TokenBatch = TokenBatch([]),
    documentStart: Int?, specialTokens: Set<Int>
  ) {
    self.init(
      access: access, text: text, reference: reference, documentStart: documentStart,
      specialTokens: specialTokens, limits: .none)
  }

  /// Gathers text that large models read.
  package init(
    access: AccessLevel, text: TokenBatch, reference: TokenBatch, documentStart: Int?,
    specialTokens: Set<Int>, limits: ReadingLimits
  ) {
    self.limits = limits
    self.access = access
    self.text = text
    self.reference = reference
    self.documentStart = documentStart
    self.specialTokens = specialTokens
  }

  /// What a document begins with: the token that starts it, or nothing.
  public var opening: [Int] { documentStart.map { [$0] } ?? [] }

  /// What free samples continue.
  ///
  /// - Throws: `DiffingError.noDocumentStart` if there is no such token.
  public func sampleStart() throws(DiffingError) -> Int {
    guard let documentStart else { throw .noDocumentStart }
    return documentStart
  }

  /// The indices of tokens that statistics are taken over: all but those that start a document or a row.
  ///
  /// Attention that finds nothing rests on the first token of a row, whatever token that is (Xiao et al. 2023,
  /// "Efficient streaming language models with attention sinks"): its residual stream is many times larger
  /// than any other's, and would dominate every mean. A row of one token has no other.
  public var countedTokens: [Int] { countedTokens(of: text) }

  /// The same of another text.
  public func countedTokens(of text: TokenBatch) -> [Int] {
    (0..<text.rows).flatMap { countedTokens(ofRow: $0, in: text) }
  }

  /// The same of a row of a text.
  public func countedTokens(ofRow row: Int, in text: TokenBatch) -> [Int] {
    let range = text.range(row)
    return range.filter {
      text.tokens[$0] != documentStart && ($0 > range.lowerBound || range.count == 1)
    }
  }
}

/// How much of a text methods read with models of a size.
package struct ReadingLimits: Equatable, Sendable {
  /// Of how many tokens of running text, evenly spread, answers are compared: those of all would fill the memory where
  /// the vocabulary is large.
  package let answers: Int
  /// How many tokens are read again for each module that is exchanged: all of a text would take hours where the models
  /// are large.
  package let exchanged: Int

  /// Nothing is left out.
  package static let none = ReadingLimits(answers: .max, exchanged: .max)

  /// Those of a text whose answers are read again for each module or block: a quarter of the answers do.
  package var ofExchanges: ReadingLimits {
    ReadingLimits(answers: max(1, answers / 4), exchanged: exchanged)
  }

  package init(answers: Int, exchanged: Int) {
    self.answers = answers
    self.exchanged = exchanged
  }

  /// Those of models of some size.
  ///
  /// - Parameters:
  ///   - parameters: Numbers of a model; a token takes two operations for each.
  ///   - shape: Its sizes.
  package init(parameters: Int, _ shape: ModelShape) {
    let modules = 2 * shape.layers + 1
    answers = max(64, Self.logitsHeld / shape.vocabulary)
    exchanged = max(16, Self.operations / (2 * parameters * modules))
  }

  /// Logits that are held at once.
  private static let logitsHeld = 1 << 24
  /// What exchanging every module once may take: about half a minute of one core.
  private static let operations = 2_500_000_000_000
}
