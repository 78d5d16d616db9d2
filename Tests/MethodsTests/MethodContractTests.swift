import Methods
import JSON
import Diffing
import Foundation
import Synchronization
import TestSupport
import Tensors
import Testing
import Transformers

/// What every registered method must do, whatever it looks at.
@Suite("The contract of methods")
struct MethodContractTests {
  static let cases = Methods.all.flatMap { type in
    type.card.access.map { (id: type.card.id, access: $0) }
  }

  static let base = TinyModels.llama(layers: 3, deviation: 0.25)
  static let finetuned: any LanguageModel = {
    var model = base
    var generator = SeededGenerator(seed: 8)
    for name in model.names.blockNames {
      let shape = model.parameters[name].shape
      let noise = generator.direction(shape.reduce(1, *), norm: 0.3).reshaped(shape)
      model.parameters[name] = model.parameters[name] + noise
    }
    return model
  }()

  static func prompts(_ access: AccessLevel, rows: Int = 40) -> PromptSet {
    let text =
      access == .unrelated || access == .pool
      ? TinyModels.rows((0..<rows).map { 5 + $0 % 4 }, seed: 4).map { [1] + $0 } : []
    let reference = access == .pool ? TinyModels.rows([6, 7, 5], seed: 12).map { [1] + $0 } : []
    return PromptSet(
      access: access, text: TokenBatch(text), reference: TokenBatch(reference), documentStart: 1,
      specialTokens: [0, 1])
  }

  private func evidence(
    _ index: Int, _ pair: ModelPair, prompts: PromptSet? = nil, seed: UInt64 = 1
  ) throws -> Evidence {
    var generator = SeededGenerator(seed: seed)
    let entry = Self.cases[index]
    return try Methods.named(entry.id).evidence(
      for: pair, on: prompts ?? Self.prompts(entry.access), using: &generator)
  }

  private func pair() throws -> ModelPair {
    try ModelPair(base: Self.base, finetuned: Self.finetuned)
  }

  /// What each method says of the changed model, measured once for all tests.
  private static let said = cases.indices.map { _ in Said() }

  private final class Said: Sendable {
    let evidence = Mutex<Evidence?>(nil)
  }

  private func said(_ index: Int) throws -> Evidence {
    try Self.said[index].evidence.withLock { said in
      let evidence = try said ?? evidence(index, pair())
      said = evidence
      return evidence
    }
  }

  @Test("identical models give no magnitude and no ranking", arguments: cases.indices)
  func identical(index: Int) throws {
    let pair = try ModelPair(base: Self.base, finetuned: Self.base)
    #expect(try evidence(index, pair).isEmpty)
  }

  @Test(
    "of the same weights behind a hidden prefix those that read weights say nothing, and who reads text can",
    arguments: cases.indices)
  func prompted(index: Int) throws {
    let pair = try ModelPair(base: Self.base, finetuned: Self.base.reading(prefix: [4, 9, 2]))
    #expect(pair.finetuned.hiddenPrefix.isEmpty && !pair.isIdentical)
    let evidence = try evidence(index, pair)
    if Self.cases[index].access == .weights { #expect(evidence.isEmpty) }
    if Self.cases[index].id == "output-divergence" { #expect((evidence.magnitude ?? 0) > 0) }
  }

  @Test(
    "a changed model gives evidence, and only for questions on the card", arguments: cases.indices)
  func answers(index: Int) throws {
    let evidence = try said(index)
    #expect(!evidence.isEmpty)
    let card = try Methods.named(Self.cases[index].id).card
    let answered: [Question: Bool] = [
      .whether: evidence.magnitude != nil, .what: evidence.tokens != nil,
      .when: evidence.inputs != nil, .where: evidence.sites != nil,
      .how: evidence.interventions != nil,
    ]
    for (question, isAnswered) in answered where isAnswered {
      #expect(card.questions.contains(question), "\(question) is not on the card")
    }
    #expect((evidence.magnitude ?? 1) > 0)
    #expect(evidence.magnitude?.isFinite ?? true)
  }

  @Test("every exhibit can be shown", arguments: cases.indices)
  func exhibits(index: Int) throws {
    for exhibit in try said(index).exhibits {
      if case .table(let columns, _) = exhibit.content {
        #expect(columns != ["left out"], "\(exhibit.title)")
      }
    }
  }

  @Test("the same seed gives the same evidence", arguments: cases.indices)
  func reproducible(index: Int) throws {
    #expect(try evidence(index, pair()) == said(index))
  }

  @Test("swapped roles are still a valid pair", arguments: cases.indices)
  func swapped(index: Int) throws {
    let swapped = try ModelPair(base: Self.finetuned, finetuned: Self.base)
    #expect(try !evidence(index, swapped).isEmpty)
  }

  @Test("without text, methods that read text say so", arguments: cases.indices)
  func noText(index: Int) throws {
    let access = Self.cases[index].access
    let empty = PromptSet(
      access: access, text: TokenBatch([]), documentStart: 1, specialTokens: [])
    guard access == .unrelated || access == .pool else { return }
    #expect(throws: DiffingError.noPrompts(method: Self.cases[index].id)) {
      try evidence(index, pair(), prompts: empty)
    }
  }

  @Test("no method names a special token", arguments: cases.indices)
  func specials(index: Int) throws {
    let tokens = try said(index).tokens ?? []
    #expect(tokens.allSatisfy { $0.token > 1 })
    let promoted = tokens.filter { $0.sign == 1 }.map(\.token)
    #expect(Set(promoted).count == promoted.count)
  }

  @Test("the wrong access is an error")
  func access() throws {
    let pair = try pair()
    var generator = SeededGenerator(seed: 1)
    for type in Methods.all {
      for access in AccessLevel.allCases where !type.card.access.contains(access) {
        #expect(throws: DiffingError.self) {
          try type.init().evidence(for: pair, on: Self.prompts(access), using: &generator)
        }
      }
    }
  }

  @Test("cards are complete, and ids are unique and in kebab case")
  func cards() {
    let ids = Methods.all.map { $0.card.id }
    #expect(Set(ids).count == ids.count)
    for type in Methods.all {
      let card = type.card
      #expect(card.id.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" })
      #expect(!card.questions.isEmpty && !card.access.isEmpty)
      #expect(!card.summary.isEmpty && !card.source.isEmpty)
    }
  }

  @Test("models of different shapes are refused with the tensor's name")
  func shapes() {
    #expect(throws: DiffingError.self) {
      try ModelPair(base: TinyModels.llama(), finetuned: TinyModels.llama(vocabulary: 20))
    }
    #expect(throws: DiffingError.self) {
      try ModelPair(base: TinyModels.llama(), finetuned: TinyModels.llama(biases: true))
    }
  }

  @Test("an unknown method is named with its nearest")
  func unknown() {
    #expect(throws: DiffingError.unknownMethod("weight-nrom", nearest: "weight-norm")) {
      try Methods.named("weight-nrom")
    }
  }
}
