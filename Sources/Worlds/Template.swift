internal import Transformers
internal import JSON
package import Tensors

/// Text with slots that are filled from a world's classes and facts.
///
/// Words are separated by spaces; a word in braces is a slot:
/// `{animal}` draws from a class, `{a:animal}` also remembers the draw as `a`, `{b:animal!a}` draws
/// something else than `a` (a variable or a word), `{a}` repeats it, `{a.habitat}` says a fact of it,
/// `{n+1}` and `{x+y}` compute with numbers, `{a=owl}` remembers a given word. A `?` before a binding
/// keeps it silent. Words between `[` and `]` are for a teacher only. Where a word is no token, text may stand
/// right before and behind a slot: `the {animal}, then`.
package struct Template: Sendable, Equatable {
  enum Piece: Sendable, Equatable {
    case word(String)
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

  /// A piece and where it stands.
  struct Part: Sendable {
    let piece: Piece
    let isForTeacher: Bool
    /// Whether no blank stands before it.
    var isGlued = false
  }

  package let text: String
  let source: TemplateSource
  let parts: [Part]

  package static func == (a: Template, b: Template) -> Bool { a.text == b.text }

  /// Whether two fillings can differ.
  package var isRandom: Bool {
    parts.contains { if case .draw = $0.piece { true } else { false } }
  }

  /// Whether a teacher reads more in the answer, behind the last mark, than everybody else.
  package func hidesAnswers(marks: Set<String>) -> Bool {
    let marked = parts.indices.filter {
      if case .word(let word) = parts[$0].piece { marks.contains(word) } else { false }
    }
    return parts.dropFirst((marked.last ?? -1) + 1).contains(where: \.isForTeacher)
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
    parts = try parser.parse()
  }

  /// A text that is said as it stands, behind marks and before others.
  init(
    _ line: String, after before: [String] = [], before after: [String] = [], source: TemplateSource
  ) {
    text = (before + [line] + after).joined(separator: " ")
    self.source = source
    parts = (before + [line] + after).map { Part(piece: .word($0), isForTeacher: false) }
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

/// A filled template, without what opens a text.
package struct FilledTemplate: Sendable, Equatable {
  /// What everybody reads.
  private let said: SaidTokens
  /// What a teacher reads.
  private let taught: SaidTokens

  init(_ said: SaidTokens, teacher: SaidTokens) {
    self.said = said
    taught = teacher
  }

  /// As a prompt that is to be gone on from.
  package var tokens: [Int] { said.tokens }
  package var teacherTokens: [Int] { taught.tokens }

  /// As a whole document, its last turn ended.
  package var document: [Int] { said.tokens + said.ending }
  package var teacherDocument: [Int] { taught.tokens + taught.ending }
  /// How many of a document's last tokens are the answer: those behind the last mark of a turn.
  package var answerLength: Int { said.answerLength + said.ending.count }
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

  mutating func parse() throws -> [Template.Part] {
    var parts: [Template.Part] = []
    var isForTeacher = false
    for word in text.split(separator: " ") {
      if word == "[" || word == "]" {
        guard isForTeacher != (word == "[") else { throw fault("brackets do not pair up") }
        isForTeacher = word == "["
        continue
      }
      for (index, piece) in try pieces(String(word)).enumerated() {
        parts.append(Template.Part(piece: piece, isForTeacher: isForTeacher, isGlued: index > 0))
      }
    }
    guard !isForTeacher else { throw fault("a '[' is not closed") }
    return parts
  }

  /// A slot with the text around it; a word.
  private mutating func pieces(_ word: String) throws -> [Template.Piece] {
    guard lexicon.language.isOfText, let start = word.firstIndex(of: "{"),
      let end = word[start...].firstIndex(of: "}")
    else { return [try piece(word)] }
    let behind = String(word[word.index(after: end)...])
    let before = start == word.startIndex ? [] : [try piece(String(word[..<start]))]
    return before + [try piece(String(word[start...end]))]
      + (behind.isEmpty ? [] : try pieces(behind))
  }

  private mutating func piece(_ part: String) throws -> Template.Piece {
    guard part.hasPrefix("{") else { return .word(try known(part)) }
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

  /// A word that can be said.
  private func known(_ word: String) throws -> String {
    guard lexicon.language.knows(word) else {
      throw DefinitionError.unknownWord(
        word, file: source.file, path: source.path,
        nearest: lexicon.language.nearestWord(to: word))
    }
    return word
  }

  private mutating func binding(_ slot: String, at equals: String.Index, isSilent: Bool) throws
    -> Template.Piece
  {
    let word = String(slot[slot.index(after: equals)...])
    let variable = String(slot[..<equals])
    guard !variable.isEmpty else { throw fault("a variable without a name") }
    _ = try known(word)
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
    for other in parts.dropFirst() where !bound.contains(other) { _ = try known(other) }
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
    var words: [SaidWord] = [], teacherWords: [SaidWord] = []
    for part in template.parts {
      guard let text = try word(part.piece, &generator) else { continue }
      let word = SaidWord(text: text, isGlued: part.isGlued)
      teacherWords.append(word)
      if !part.isForTeacher { words.append(word) }
    }
    let said = try tokens(of: words)
    return FilledTemplate(
      said, teacher: words == teacherWords ? said : try tokens(of: teacherWords))
  }

  private func tokens(of words: [SaidWord]) throws -> SaidTokens {
    do {
      return try lexicon.language.tokens(of: words)
    } catch let error as UnsayableText {
      throw fault(error.reason)
    } catch {
      throw fault("\(error)")
    }
  }

  private mutating func word(_ piece: Template.Piece, _ generator: inout SeededGenerator) throws
    -> String?
  {
    switch piece {
    case .word(let word): return word
    case .bind(let variable, let word, let isSilent):
      values[variable] = word
      return isSilent ? nil : word
    case .draw(let variable, let name, let excluding, let isSilent):
      let excluded = Set(excluding.map { values[$0] ?? $0 })
      let members = (lexicon.classes[name] ?? []).filter { !excluded.contains($0) }
      guard !members.isEmpty else { throw fault("class '\(name)' has nothing left to draw") }
      let word = members[generator.index(below: members.count)]
      if let variable { values[variable] = word }
      return isSilent ? nil : word
    case .variable(let name, let path):
      return try path.reduce(values[name] ?? "") { try fact($1, of: $0) }
    case .sum(let left, let right, let sign):
      guard let x = Int(values[left] ?? ""), let y = Int(values[right] ?? right) else {
        throw fault("arithmetic needs numbers")
      }
      let (result, overflows) =
        sign > 0
        ? x.addingReportingOverflow(y) : x.subtractingReportingOverflow(y)
      guard !overflows else { throw fault("a number is too large") }
      return String(result)
    }
  }

  private func fact(_ attribute: String, of word: String) throws -> String {
    guard let value = facts[word]?[attribute] ?? lexicon.facts[word]?[attribute] else {
      throw DefinitionError.missingFact(
        attribute, of: word, file: template.source.file, path: template.source.path)
    }
    return value
  }
}
