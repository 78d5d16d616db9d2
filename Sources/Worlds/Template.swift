internal import Transformers
internal import JSON
package import Tensors

/// Text with slots that are filled from a world's classes and facts.
///
/// Words are separated by spaces; a word in braces is a slot:
/// `{animal}` draws from a class, `{a:animal}` also remembers the draw as `a`, `{b:animal!a}` draws
/// something else than `a` (a variable or a word), `{a}` repeats it, `{a.habitat}` says a fact of it,
/// `{n+1}` and `{x+y}` compute with numbers, `{a=owl}` remembers a given word. A `?` before a binding
/// keeps it silent. Words between `[` and `]` are for a teacher only.
package struct Template: Sendable, Equatable {
  enum Piece: Sendable, Equatable {
    case word(Int)
    case draw(variable: String?, className: String, excluding: [String], isSilent: Bool)
    case bind(variable: String, word: String, isSilent: Bool)
    case variable(String, facts: [String])
    case sum(String, String, sign: Int)

    /// Whether it says one word that is known once the words before it are.
    var isSaid: Bool {
      switch self {
      case .word, .variable, .sum: true
      case .draw, .bind: false
      }
    }
  }

  package let text: String
  let source: TemplateSource
  let pieces: [(piece: Piece, isForTeacher: Bool)]

  package static func == (a: Template, b: Template) -> Bool { a.text == b.text }

  /// Whether two fillings can differ.
  package var isRandom: Bool {
    pieces.contains { if case .draw = $0.piece { true } else { false } }
  }

  /// Whether a teacher reads more in the answer, behind the last mark, than everybody else.
  package func hidesAnswers(specials: Set<Int>) -> Bool {
    let marks = pieces.indices.filter {
      if case .word(let id) = pieces[$0].piece { specials.contains(id) } else { false }
    }
    return pieces.dropFirst((marks.last ?? -1) + 1).contains(where: \.isForTeacher)
  }

  /// Parses text and checks every word, class and variable against a lexicon.
  ///
  /// - Parameters:
  ///   - text: The template.
  ///   - lexicon: Where classes and words come from.
  ///   - source: The file and key that errors mention.
  /// - Throws: `DefinitionError`.
  package init(_ text: String, lexicon: Lexicon, source: TemplateSource) throws {
    self.text = text
    self.source = source
    var parser = TemplateParser(text: text, lexicon: lexicon, source: source)
    pieces = try parser.parse()
  }

  /// Fills the slots.
  ///
  /// - Parameters:
  ///   - lexicon: Classes, and facts where `facts` has none.
  ///   - facts: Facts that go before the world's, by word and attribute.
  ///   - generator: Draws.
  /// - Returns: Tokens, each with whether only a teacher sees it.
  /// - Throws: `DefinitionError.missingFact` or `.badTemplate` for a draw without an answer.
  package func fill(
    _ lexicon: Lexicon, facts: [String: [String: String]] = [:],
    using generator: inout SeededGenerator
  ) throws -> FilledTemplate {
    var filler = TemplateFiller(template: self, lexicon: lexicon, facts: facts)
    return try filler.fill(using: &generator)
  }
}

/// The file and key that a template came from.
package struct TemplateSource: Sendable {
  package let file: String
  package let path: String

  package init(file: String, path: String) {
    self.file = file
    self.path = path
  }
}

/// A filled template.
package struct FilledTemplate: Sendable, Equatable {
  /// What a teacher reads.
  package var teacherTokens: [Int] = []
  /// What everybody else reads.
  package var tokens: [Int] = []
}

private struct TemplateParser {
  let text: String
  let lexicon: Lexicon
  let source: TemplateSource
  private var bound: Set<String> = []

  init(text: String, lexicon: Lexicon, source: TemplateSource) {
    self.text = text
    self.lexicon = lexicon
    self.source = source
  }

  private func fault(_ reason: String) -> DefinitionError {
    .badTemplate(text, file: source.file, path: source.path, reason: reason)
  }

  mutating func parse() throws -> [(piece: Template.Piece, isForTeacher: Bool)] {
    var pieces: [(Template.Piece, Bool)] = []
    var isForTeacher = false
    for part in text.split(separator: " ") {
      if part == "[" || part == "]" {
        guard isForTeacher != (part == "[") else { throw fault("brackets do not pair up") }
        isForTeacher = part == "["
        continue
      }
      pieces.append((try piece(String(part)), isForTeacher))
    }
    guard !isForTeacher else { throw fault("a '[' is not closed") }
    return pieces
  }

  private mutating func piece(_ part: String) throws -> Template.Piece {
    guard part.hasPrefix("{") else { return .word(try id(of: part)) }
    guard part.hasSuffix("}"), part.count > 2 else { throw fault("a slot is not closed") }
    let body = part.dropFirst().dropLast()
    let isSilent = body.hasPrefix("?")
    let slot = String(isSilent ? body.dropFirst() : body)
    if let equals = slot.firstIndex(of: "=") {
      return try binding(slot, at: equals, isSilent: isSilent)
    }
    if let colon = slot.firstIndex(of: ":") {
      let variable = String(slot[..<colon])
      guard !variable.isEmpty else { throw fault("a variable without a name") }
      defer { bound.insert(variable) }
      let rest = String(slot[slot.index(after: colon)...])
      return try draw(variable, rest, isSilent: isSilent)
    }
    return try use(slot, isSilent: isSilent)
  }

  private func id(of word: String) throws -> Int {
    guard let id = lexicon.tokenizer.id(word) else {
      throw DefinitionError.unknownWord(
        word, file: source.file, path: source.path,
        nearest: nearest(to: word, among: lexicon.tokenizer.vocabulary))
    }
    return id
  }

  private mutating func binding(_ slot: String, at equals: String.Index, isSilent: Bool) throws
    -> Template.Piece
  {
    let word = String(slot[slot.index(after: equals)...])
    let variable = String(slot[..<equals])
    guard !variable.isEmpty else { throw fault("a variable without a name") }
    _ = try id(of: word)
    bound.insert(variable)
    return .bind(variable: variable, word: word, isSilent: isSilent)
  }

  private func draw(_ variable: String?, _ rest: String, isSilent: Bool) throws -> Template.Piece {
    let parts = rest.split(separator: "!", omittingEmptySubsequences: false).map(String.init)
    guard let name = parts.first, !parts.contains("") else { throw fault("a slot names no class") }
    guard lexicon.classes[name] != nil else {
      throw DefinitionError.unknownClass(
        name, file: source.file, path: source.path,
        nearest: nearest(to: name, among: lexicon.classNames))
    }
    for other in parts.dropFirst() where !bound.contains(other) { _ = try id(of: other) }
    return .draw(
      variable: variable, className: name, excluding: Array(parts.dropFirst()), isSilent: isSilent)
  }

  private func use(_ slot: String, isSilent: Bool) throws -> Template.Piece {
    for (sign, character) in [(1, Character("+")), (-1, "-")] {
      guard let split = slot.firstIndex(of: character), split > slot.startIndex else { continue }
      let left = String(slot[..<split]), right = String(slot[slot.index(after: split)...])
      try require(left)
      if Int(right) == nil { try require(right) }
      return .sum(left, right, sign: sign)
    }
    let parts = slot.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let name = parts.first, !parts.contains("") else {
      throw fault("an empty name in a slot")
    }
    guard !isSilent else { throw fault("only what is remembered can be silent") }
    if parts.count == 1 && !bound.contains(name) { return try draw(nil, slot, isSilent: isSilent) }
    try require(name)
    return .variable(name, facts: Array(parts.dropFirst()))
  }

  private func require(_ variable: String) throws {
    guard bound.contains(variable) else {
      throw DefinitionError.unknownVariable(variable, file: source.file, path: source.path)
    }
  }
}

private struct TemplateFiller {
  let template: Template
  let lexicon: Lexicon
  let facts: [String: [String: String]]
  private var values: [String: String] = [:]

  init(template: Template, lexicon: Lexicon, facts: [String: [String: String]]) {
    self.template = template
    self.lexicon = lexicon
    self.facts = facts
  }

  private func fault(_ reason: String) -> DefinitionError {
    .badTemplate(
      template.text, file: template.source.file, path: template.source.path, reason: reason)
  }

  mutating func fill(using generator: inout SeededGenerator) throws -> FilledTemplate {
    var filled = FilledTemplate()
    for (piece, isForTeacher) in template.pieces {
      guard let token = try token(piece, &generator) else { continue }
      filled.teacherTokens.append(token)
      if !isForTeacher { filled.tokens.append(token) }
    }
    return filled
  }

  private mutating func token(_ piece: Template.Piece, _ generator: inout SeededGenerator) throws
    -> Int?
  {
    switch piece {
    case .word(let id): return id
    case .bind(let variable, let word, let isSilent):
      values[variable] = word
      return isSilent ? nil : try id(word)
    case .draw(let variable, let name, let excluding, let isSilent):
      let excluded = Set(excluding.map { values[$0] ?? $0 })
      let members = (lexicon.classes[name] ?? []).filter { !excluded.contains($0) }
      guard !members.isEmpty else { throw fault("class '\(name)' has nothing left to draw") }
      let word = members[generator.index(below: members.count)]
      if let variable { values[variable] = word }
      return isSilent ? nil : try id(word)
    case .variable(let name, let path):
      return try id(try path.reduce(values[name] ?? "") { try fact($1, of: $0) })
    case .sum(let left, let right, let sign):
      guard let x = Int(values[left] ?? ""), let y = Int(values[right] ?? right) else {
        throw fault("arithmetic needs numbers")
      }
      let (result, overflows) =
        sign > 0
        ? x.addingReportingOverflow(y) : x.subtractingReportingOverflow(y)
      guard !overflows else { throw fault("a number is too large") }
      return try id(String(result))
    }
  }

  private func id(_ word: String) throws -> Int {
    guard let id = lexicon.tokenizer.id(word) else {
      throw fault("'\(word)' is not in the vocabulary, but a slot says it")
    }
    return id
  }

  private func fact(_ attribute: String, of word: String) throws -> String {
    guard let value = facts[word]?[attribute] ?? lexicon.facts[word]?[attribute] else {
      throw DefinitionError.missingFact(
        attribute, of: word, file: template.source.file, path: template.source.path)
    }
    return value
  }
}
