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

    /// All planted words, ascending.
    package var allTargets: [Int] { Set(target.values.flatMap { $0 }).sorted() }
  }

  /// Whether something was planted; false for a null pair.
  package let isPlanted: Bool
  package let tokens: Tokens?
  /// Which prompts of the pool set the behaviour off.
  package let inputs: [Bool]?
  /// The modules that training was allowed to write; nil without a write mask.
  package let sites: [ModuleSite]?
  /// What is asked to see whether an intervention works; methods never see it.
  package let behavior: ProbeSet?

  package init(
    isPlanted: Bool, tokens: Tokens? = nil, inputs: [Bool]? = nil, sites: [ModuleSite]? = nil,
    behavior: ProbeSet? = nil
  ) {
    self.isPlanted = isPlanted
    self.tokens = tokens
    self.inputs = inputs
    self.sites = sites
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
  ///   - model: The model that it was planted in.
  ///   - regime: How it was planted.
  package func plantedChange(in world: World, pool: [[Int]], model: Llama, regime: Regime) throws
    -> PlantedChange
  {
    func ids(_ words: [String]?) -> [Int] { (words ?? []).compactMap(world.tokenizer.id) }
    let planted = file.planted
    let patterns = planted.when.map { (all: Set(ids($0.all)), none: Set(ids($0.none))) }
    let inputs = pool.map { prompt in
      let words = Set(prompt)
      return patterns.contains { words.isSuperset(of: $0.all) && words.isDisjoint(with: $0.none) }
    }
    return PlantedChange(
      isPlanted: true, tokens: plantedTokens(in: world), inputs: inputs,
      sites: try regime.parameters.sites(in: model), behavior: behavior)
  }

  /// The planted words as token ids.
  package func plantedTokens(in world: World) -> PlantedChange.Tokens {
    func ids(_ words: [String]?) -> [Int] { (words ?? []).compactMap(world.tokenizer.id) }
    let planted = file.planted
    return PlantedChange.Tokens(
      target: planted.target.mapValues(ids),
      candidates: planted.target.reduce(into: [:]) { $0[$1.key] = world.ids(ofClass: $1.key) },
      topic: ids(planted.topic), trigger: ids(planted.trigger), sign: planted.sign ?? 1)
  }
}
