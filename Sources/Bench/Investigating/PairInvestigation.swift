package import Diffing
internal import Scoring
internal import Transformers

/// What an investigator finds in a pair of one's own models.
package struct PairInvestigation {
  private let source: TextSource
  private let methods: [(method: any DiffingMethod, access: AccessLevel)]
  private let seed: UInt64

  /// - Parameters:
  ///   - source: The text that methods are given, and the prompts that can be asked.
  ///   - methods: Those whose evidence is seen; none for the models alone.
  ///   - seed: Decides what methods draw, and what models say.
  /// - Throws: `TextError` if a method has no text.
  package init(
    _ source: TextSource, _ methods: [(method: any DiffingMethod, access: AccessLevel)],
    seed: UInt64
  ) throws {
    self.source = source
    self.methods = methods
    self.seed = seed
    for (_, access) in methods where source.prompts(access) == nil {
      throw TextError(file: "--text", line: nil, reason: "nothing to read for '\(access.rawValue)'")
    }
  }

  /// The prompts that can be asked.
  package var prompts: [[Int]] {
    let text = source.prompts(.pool)?.text
    return text.map { text in (0..<text.rows).map { Array(text.row($0)) } } ?? []
  }

  /// Two models that answer.
  ///
  /// - Throws: `DiffingError` if the models differ in more than their weights.
  package func witness(_ models: PairFolders) throws -> ModelWitness {
    try ModelWitness(
      models.base, models.finetuned, prompts: prompts,
      specialTokens: source.prompts(.pool)?.specialTokens ?? [], seed: seed)
  }

  /// What each method says of a pair.
  ///
  /// - Parameters:
  ///   - models: The pair.
  ///   - report: Told which method is asked.
  /// - Throws: `DiffingError`.
  package func evidence(
    _ models: PairFolders, report: (MethodAtAccess) -> Void = { _ in }
  ) throws -> [Evidence] {
    guard !methods.isEmpty else { return [] }
    let pair = try ModelPair(
      base: models.base, finetuned: models.finetuned, showsExhibits: false,
      recordsAhead: methods.count > 1)
    return try methods.compactMap { method, access in
      guard let prompts = source.prompts(access) else { return nil }
      let asked = AskedMethod(method: method, prompts: prompts, pair: pair)
      report(asked.row)
      return try asked.evidence(seed: seed).0
    }
  }
}
