internal import JSON

/// Which modules `adapter_config.json` selects; PEFT passes over the tensors of all others.
struct AdapterSelection {
  private enum Names {
    /// Whole names of modules, or their last parts.
    case parts([Spelling])
    /// A regular expression of the whole name.
    case pattern(Regex<AnyRegexOutput>)
    /// Every linear map but the head: these are the modules that are not meant.
    case allLinear(but: [Spelling])

    func holds(_ module: String) -> Bool {
      switch self {
      case .parts(let parts):
        parts.contains {
          $0 == Spelling(module)
            || module.utf8.reversed().starts(with: ".\($0.text)".utf8.reversed())
        }
      case .pattern(let pattern):
        module.wholeMatch(of: pattern) != nil
      case .allLinear(let others): !others.contains(Spelling(module))
      }
    }
  }

  private let targets: Names
  private let excluded: [Names]
  private let layers: [Int]
  /// What stands before the number of a block; the first number of a name if empty.
  private let blocks: [String]

  /// - Throws: `CheckpointError.badAdapter`.
  init(_ file: AdapterFile, for base: any LanguageModel) throws {
    let others = [base.names.embedding, base.names.unembedding, Architectures.loadedHead].map {
      Spelling(PEFTAdapter.module($0))
    }
    let key = "target_modules"
    if file.present(key) == .string("all-linear") {
      targets = .allLinear(but: others)
    } else {
      let defaults = Architectures.of(base)?.adaptedByDefault ?? []
      targets = try Self.names(key, file) ?? .parts(defaults.map { Spelling($0) })
    }
    // What is saved whole has no factors.
    let saved = try file.names("modules_to_save")
    excluded =
      [try Self.names("exclude_modules", file), saved.map { .parts($0.map { Spelling($0) }) }]
      .compactMap(\.self)
    layers =
      try file.present("layers_to_transform").map {
        try file.integers($0, "layers_to_transform")
      } ?? []
    blocks = try file.names("layers_pattern")?.filter { !$0.isEmpty } ?? []
  }

  /// Names as a list, or as one pattern.
  private static func names(_ key: String, _ file: AdapterFile) throws -> Names? {
    guard case .string(let text)? = file.present(key) else {
      return try file.names(key).map { .parts($0.map { Spelling($0) }) }
    }
    guard let pattern = try? Regex(text) else {
      throw file.fault("'\(key)' is a pattern that is not supported; list the modules")
    }
    return .pattern(pattern)
  }

  /// Whether a module is selected.
  func holds(_ module: String) -> Bool {
    guard targets.holds(module), !excluded.contains(where: { $0.holds(module) }) else {
      return false
    }
    // A pattern says itself which blocks it means, and so does a whole name.
    switch targets {
    case .pattern: return true
    case .parts(let parts) where parts.contains(Spelling(module)): return true
    default: break
    }
    return layers.isEmpty || layer(of: module).map(layers.contains) == true
  }

  /// The number of a module's block.
  private func layer(of module: String) -> Int? {
    let parts = module.split(separator: ".")
    guard !blocks.isEmpty else { return parts.dropFirst(2).lazy.compactMap { Int($0) }.first }
    return zip(parts, parts.dropFirst()).lazy
      .compactMap { blocks.contains(String($0)) ? Int($1) : nil }.first
  }
}
