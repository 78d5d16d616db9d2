public import Tensors
internal import Transformers

/// The five questions that every method is asked.
public enum Question: String, Codable, CaseIterable, Sendable {
  case whether, what, when, `where`, how
}

/// What a method's *whether* measures.
public struct Magnitude: Equatable, Sendable {
  /// What is computed, in a line.
  public let formula: String
  /// What it is counted in.
  public let unit: String

  /// Defines a figure.
  public init(_ formula: String, unit: String) {
    self.formula = formula
    self.unit = unit
  }
}

/// What a method is and what it claims to answer.
public struct MethodCard: Sendable {
  /// In kebab case: the name of the method's type, which is the stem of its file.
  public let id: String
  /// One line.
  public let summary: String
  /// Where it was published.
  public let source: String
  /// The questions that it answers.
  public let questions: [Question]
  /// The levels of access that it works at; it is scored at each.
  public let access: [AccessLevel]
  /// What its *whether* measures; nil if it does not say.
  public let magnitude: Magnitude?

  /// Describes a method.
  public init(
    id: String, summary: String, source: String, questions: [Question], access: [AccessLevel],
    magnitude: Magnitude? = nil
  ) {
    self.id = id
    self.summary = summary
    self.source = source
    self.questions = questions
    self.access = access
    self.magnitude = magnitude
  }
}

/// A way to find out what finetuning changed; its stored properties are its hyperparameters.
///
/// A method sees two models, unlabelled text and a seeded generator. It cannot see what was planted:
/// the module that knows is not importable from here.
public protocol DiffingMethod: Codable, Sendable {
  static var card: MethodCard { get }
  init()

  /// Compares two models.
  ///
  /// - Parameters:
  ///   - pair: The models, and recordings that methods share.
  ///   - prompts: Text at one of the card's levels of access.
  ///   - generator: The only source of randomness.
  /// - Returns: Claims; empty for identical models.
  /// - Throws: `DiffingError`.
  func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence
}

extension DiffingMethod {
  /// What the method is and answers.
  public var card: MethodCard { Self.card }

  /// Checks what every method needs and then compares; identical models give no evidence.
  ///
  /// - Throws: `DiffingError`.
  public func evidence(
    for pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    guard card.access.contains(prompts.access) else {
      throw DiffingError.wrongAccess(
        method: card.id, access: prompts.access.rawValue, supported: card.access.map(\.rawValue))
    }
    let readsText = prompts.access == .unrelated || prompts.access == .pool
    guard !readsText || !prompts.text.isEmpty else {
      throw DiffingError.noPrompts(method: card.id)
    }
    let vocabulary = pair.shape.vocabulary
    if let token = prompts.text.tokens.first(where: { $0 < 0 || $0 >= vocabulary }) {
      throw DiffingError.tokenOutsideVocabulary(token, vocabulary: vocabulary)
    }
    let isSame = prompts.access == .weights ? pair.haveSameWeights : pair.isIdentical
    guard !isSame else { return Evidence() }
    let evidence: Evidence
    do {
      evidence = try diff(pair, on: prompts, using: &generator)
    } catch is DecompositionError {
      throw DiffingError.notFinite(method: card.id)
    }
    guard evidence.isFinite else { throw DiffingError.notFinite(method: card.id) }
    if let fault = evidence.fault(vocabulary: vocabulary) {
      throw DiffingError.badEvidence("\(card.id): \(fault)")
    }
    return evidence.withSoundExhibits()
  }
}
