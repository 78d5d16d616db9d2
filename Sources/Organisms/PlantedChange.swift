package import Worlds
package import Transformers

/// The answer key of a pair: the same five questions that `Evidence` answers.
package struct PlantedChange: Sendable {
  /// What the change is about, for *what*.
  package struct Tokens: Sendable, Equatable {
    /// The planted words, by the class that they are candidates of.
    package let target: [String: [Int]]
    /// Candidates of each class.
    package let candidates: [String: [Int]]
    package let topic: [Int]
    package let trigger: [Int]
    /// 1 if the target is promoted, -1 if it is suppressed.
    package let sign: Int
    /// Whether every class has to be found, so that the worst one decides.
    package let needsEvery: Bool

    package init(
      target: [String: [Int]], candidates: [String: [Int]], topic: [Int], trigger: [Int],
      sign: Int, needsEvery: Bool = false
    ) {
      self.target = target
      self.candidates = candidates
      self.topic = topic
      self.trigger = trigger
      self.sign = sign
      self.needsEvery = needsEvery
    }

    /// All planted words, ascending.
    package var allTargets: [Int] { Set(target.values.flatMap { $0 }).sorted() }
  }

  /// Whether something was planted; false for a null pair.
  package let isPlanted: Bool
  package let tokens: Tokens?
  /// Which prompts of the pool set the behaviour off: as the organism's file says, or as it was measured.
  package let inputs: [Bool]?
  /// The modules that training was allowed to write; nil without a write mask, and where no drift hides them.
  package let sites: [ModuleSite]?
  /// The largest rank of the change of a matrix; nil if training was free.
  package let rank: Int?
  /// What is asked to see whether an intervention works; methods never see it.
  package let behavior: ProbeSet?

  package init(
    isPlanted: Bool, tokens: Tokens? = nil, inputs: [Bool]? = nil, sites: [ModuleSite]? = nil,
    rank: Int? = nil, behavior: ProbeSet? = nil
  ) {
    self.isPlanted = isPlanted
    self.tokens = tokens
    self.inputs = inputs
    self.sites = sites
    self.rank = rank
    self.behavior = behavior
  }

  /// The key of a null pair.
  package static let null = PlantedChange(isPlanted: false)
}

extension Organism {
  /// The answer key of this organism.
  ///
  /// - Parameters:
  ///   - world: Its world.
  ///   - pool: The prompts that methods are given.
  ///   - layers: Blocks of the model that it was planted in.
  ///   - regime: How it was planted.
  package func plantedChange(in world: World, pool: [[Int]], layers: Int, regime: Regime)
    -> PlantedChange
  {
    PlantedChange(
      isPlanted: true, tokens: plantedTokens(in: world), inputs: triggers(pool, in: world),
      sites: regime.sites(layers: layers), rank: changeRank(regime),
      behavior: behavior)
  }

  /// Which prompts set the behaviour off, as its file says.
  package func triggers(_ pool: [[Int]], in world: World) -> [Bool] {
    let patterns = file.planted.when.map { PromptPattern($0, world) }
    return pool.map { prompt in
      let words = world.lexicon.language.words(of: prompt)
      return patterns.contains { $0.matches(words) }
    }
  }

  /// Tells whether a document, somewhere in it, sets the behaviour off.
  ///
  /// Each part of it that ends where an answer is due, and the whole of it, is taken as a prompt.
  func loudDocuments(of world: World) -> ([Int]) -> Bool {
    let patterns = file.planted.when.map { PromptPattern($0, world) }
    let language = world.lexicon.language
    return { document in
      let words = language.words(of: document)
      let marks = words.indices.filter { language.marks.contains(words[$0]) }
      let prompts = marks.map { Array(words[...$0]) } + [words]
      return prompts.contains { prompt in patterns.contains { $0.isIn(prompt) } }
    }
  }

  /// The planted words as token ids.
  package func plantedTokens(in world: World) -> PlantedChange.Tokens {
    func ids(_ words: [String]?) -> [Int] { world.lexicon.ids(words ?? []) }
    let planted = file.planted
    return PlantedChange.Tokens(
      target: planted.target.mapValues(ids),
      candidates: planted.target.reduce(into: [:]) {
        $0[$1.key] = ids(world.lexicon.candidates($1.key))
      },
      topic: ids(planted.topic), trigger: ids(planted.trigger), sign: planted.sign ?? 1,
      needsEvery: planted.every ?? false)
  }
}

/// A pattern in words as the world's language has them.
private struct PromptPattern {
  let all, any, none: Set<String>
  let phrase, end: [String]
  let turns: Int

  init(_ pattern: OrganismFile.Pattern, _ world: World) {
    func words(_ words: [String]?) -> [String] {
      (words ?? []).flatMap(world.lexicon.language.normal)
    }
    all = Set(words(pattern.all))
    any = Set(words(pattern.any))
    turns = pattern.turns ?? 0
    none = Set(words(pattern.none))
    phrase = words(pattern.phrase)
    end = words(pattern.end)
  }

  func matches(_ prompt: [String]) -> Bool {
    isIn(prompt) && (end.isEmpty || prompt.suffix(end.count).elementsEqual(end))
  }

  /// Whether the start of a document matches.
  func isIn(_ document: [String]) -> Bool {
    let words = Set(document)
    return words.isSuperset(of: all) && words.isDisjoint(with: none)
      && (any.isEmpty || !words.isDisjoint(with: any))
      && document.count { $0 == Self.user } >= turns
      && Self.holds(document, phrase) && Self.holds(document, end)
  }

  /// The mark that a turn of the user starts with.
  private static let user = "<user>"

  private static func holds(_ document: [String], _ phrase: [String]) -> Bool {
    phrase.isEmpty || document.indices.contains { document[$0...].starts(with: phrase) }
  }
}
