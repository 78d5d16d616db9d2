internal import Files
internal import Foundation
internal import JSON

/// Reads the parts of a world file that refer to its words, and checks them.
struct WorldReader {
  let content: WorldFile
  let lexicon: Lexicon
  /// The library that the world is of, where texts are looked for.
  let folder: URL
  /// The name that errors mention.
  let file: String

  private func fault(_ path: String, _ reason: String) -> DefinitionError {
    .invalid(file: file, path: path, reason: reason)
  }

  private func template(_ text: String, _ path: String) throws -> Template {
    try Template(text, lexicon: lexicon, source: TemplateSource(file: file, path: path))
  }

  func kinds() throws -> [World.DocumentKind] {
    let kinds = try content.documents.map { kind in
      let path = "documents.\(kind.kind)"
      let written = kind.templates ?? []
      let templates =
        try written.map { (try template($0.text, path), $0.weight) }
        + (try lines(kind.lines, path, after: [], before: []).map { ($0, 1) })
      let weights = written.map(\.weight) + [kind.weight]
      guard !templates.isEmpty, weights.allSatisfy({ $0 > 0 && $0 < 1e6 }) else {
        throw fault(path, "needs templates, and weights above 0 and below a million")
      }
      return World.DocumentKind(
        name: kind.kind, weight: kind.weight, isUnrelated: kind.unrelated ?? false,
        templates: templates)
    }
    guard kinds.contains(where: \.isUnrelated) else {
      throw fault("documents", "no kind of document is marked as unrelated")
    }
    return kinds
  }

  func pool() throws -> [(template: Template, count: Int)] {
    let pool = try content.pool.flatMap { entry -> [(template: Template, count: Int)] in
      guard (entry.text == nil) != (entry.lines == nil) else {
        throw fault("pool", "each entry needs either 'text' or 'lines'")
      }
      let count = entry.count ?? 1
      guard (1...1000).contains(count) else {
        throw fault("pool", "the count of '\(entry.text ?? "")' should be from 1 to 1000")
      }
      let asked = try lines(entry.lines, "pool", after: ["<user>"], before: ["<assistant>"])
      return (try entry.text.map { [try template($0, "pool")] } ?? asked).map { ($0, count) }
    }
    guard !pool.isEmpty else { throw fault("pool", "is empty, but methods need prompts") }
    return pool
  }

  /// The lines of a file of texts, said as they stand between marks.
  private func lines(
    _ name: String?, _ path: String, after before: [String], before after: [String]
  ) throws -> [Template] {
    guard let name else { return [] }
    guard lexicon.language.isOfText else {
      throw fault("\(path).lines", "are for worlds with a 'model'")
    }
    let source = TemplateSource(file: file, path: path)
    return try text(name, path).split(whereSeparator: \.isNewline).map {
      Template(String($0), after: before, before: after, source: source)
    }
  }

  private func text(_ name: String, _ path: String) throws -> String {
    guard let text = try? String(contentsOf: folder.appending(path: name), encoding: .utf8) else {
      throw fault("\(path).lines", "'\(name)' is no UTF-8 file beside \(folder.path)")
    }
    return text
  }

  /// The digest of the files of texts that documents are lines of; empty if there is none.
  func documentLinesDigest() throws -> String {
    try digest(ofTexts: content.documents.compactMap(\.lines))
  }

  /// The same of those that questions are lines of.
  func poolLinesDigest() throws -> String { try digest(ofTexts: content.pool.compactMap(\.lines)) }

  private func digest(ofTexts names: [String]) throws -> String {
    guard !names.isEmpty else { return "" }
    var hash = ContentHash()
    for name in names { hash.mix(try text(name, "documents")) }
    return hash.text
  }

  func skills() throws -> [World.Skill] {
    try content.skills.map { skill in
      let path = "skills.\(skill.id)"
      let (low, high) = (skill.atLeast ?? 0, skill.atMost ?? 1)
      guard low >= 0, low <= high, high <= 1 else {
        throw fault(path, "atLeast and atMost should be from 0 to 1")
      }
      return World.Skill(
        id: skill.id,
        probe: try Probe(
          skill.prompt, answers: skill.answers, lexicon: lexicon,
          source: TemplateSource(file: file, path: path)),
        bounds: low...high)
    }
  }
}
