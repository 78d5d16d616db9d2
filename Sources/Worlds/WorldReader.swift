/// Reads the parts of a world file that refer to its words, and checks them.
struct WorldReader {
  let content: WorldFile
  let lexicon: Lexicon
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
      let templates = try kind.templates.map { (try template($0.text, path), $0.weight) }
      let weights = kind.templates.map(\.weight) + [kind.weight]
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
    let pool = try content.pool.map { (try template($0.text, "pool"), $0.count) }
    for entry in content.pool where !(1...1000).contains(entry.count) {
      throw fault("pool", "the count of '\(entry.text)' should be from 1 to 1000")
    }
    guard !pool.isEmpty else { throw fault("pool", "is empty, but methods need prompts") }
    return pool
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
