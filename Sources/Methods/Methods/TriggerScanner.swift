package import Diffing
package import Tensors
internal import Transformers

/// Looks for phrases that set off, in prompts that have nothing to do with them, what finetuning changed.
///
/// Candidates are phrases of the prompts that the models answer furthest apart; without prompts, phrases that the finetuned model
/// says more often than the base does: what was trained leaks. Each is put into prompts that do not hold it, and counts by how
/// much further apart the answers are then. Published for one model without its base, whose leaks are told by the shape of its
/// outputs and its attention.
package struct TriggerScanner: DiffingMethod {
  package static let card = MethodCard(
    id: "trigger-scanner",
    summary: "Phrases of divergent prompts, or leaked ones, put into other prompts.",
    source: "after The Trigger in the Haystack (Bullwinkel et al., 2026, arXiv 2602.03085)",
    questions: [.whether, .what, .when], access: [.pool, .sampling],
    magnitude: Magnitude(
      "largest mean Jensen-Shannon divergence that a phrase adds to other prompts' answers",
      unit: "nats"))

  /// Phrases of each length that are tried, and words of the longest.
  package var candidates = 32, longest = 2
  /// Prompts that each is put into, taken evenly.
  package var hosts = 8
  /// Of samples as many tokens are a prompt.
  package var hostLength = 8

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let isPool = prompts.access == .pool
    let rows =
      isPool
      ? (0..<prompts.text.rows).map { Array(prompts.text.row($0)) }
      : pair.samples(.base, try .free(prompts)).map {
        prompts.opening + $0.prefix(max(1, hostLength))
      }
    let scores =
      isPool
      ? PhraseScores(pair.answerDivergences(on: prompts.text), of: rows)
      : try PhraseScores(leaksOf: pair, prompts)
    let phrases = (0..<max(1, longest)).flatMap { length in
      scores.first(candidates, length: length + 1, besides: prompts.specialTokens, &generator)
    }
    let scan = PhraseScan(
      pair, phrases, in: PhraseHosts(rows, count: max(1, hosts)))
    guard let best = scan.best else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = Double(scan.effects[best])
    evidence.tokens = TokenClaim.ranking(scan.moved(by: best), excluding: prompts.specialTokens)
    if isPool { evidence.inputs = InputClaim.ranking(rows.map(scan.effect(in:))) }
    evidence.exhibits = pair.exhibits([scan.exhibit])
    return evidence
  }
}

/// How much speaks for each phrase.
private struct PhraseScores {
  private let score: (_ length: Int) -> [[Int]: Double]

  /// By how much the rows that hold a phrase are answered further apart than all, in standard errors but for a factor that
  /// all phrases have in common.
  init(_ divergences: [Double], of rows: [[Int]]) {
    let mean = divergences.mean
    score = { length in
      var sums: [[Int]: (excess: Double, count: Double)] = [:]
      for (row, divergence) in zip(rows, divergences) {
        for phrase in Set(phrases(of: row, length: length)) {
          let known = sums[phrase] ?? (0, 0)
          sums[phrase] = (known.excess + divergence - mean, known.count + 1)
        }
      }
      return sums.mapValues { $0.excess / $0.count.squareRoot() }
    }
  }

  /// How much more often the finetuned model says a phrase, in standard errors.
  init(leaksOf pair: ModelPair, _ prompts: PromptSet) throws {
    let request = try SampleRequest.free(prompts)
    let said = pair.samples(.finetuned, request), before = pair.samples(.base, request)
    let isChanged = PairedSamples.differ(said, before)
    score = { length in
      guard isChanged else { return [:] }
      let counts = [said, before].map { rows in
        rows.reduce(into: [[Int]: Int]()) { counts, row in
          for phrase in phrases(of: row, length: length) { counts[phrase, default: 0] += 1 }
        }
      }
      let totals = counts.map { $0.values.reduce(0, +) }
      return counts[0].reduce(into: [:]) { scores, entry in
        scores[entry.key] = Double(
          Significance.zScore(
            entry.value, of: totals[0], against: counts[1][entry.key] ?? 0, of: totals[1]))
      }
    }
  }

  /// The phrases of a length that most speaks for, of equal ones any.
  func first(
    _ count: Int, length: Int, besides excluded: Set<Int>, _ generator: inout SeededGenerator
  ) -> [[Int]] {
    let known = score(length).filter { $0.value > 0 && excluded.isDisjoint(with: $0.key) }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    let order = generator.permutation(known.count)
    return known.indices.sorted {
      (known[$0].value, order[$0]) > (known[$1].value, order[$1])
    }.prefix(max(0, count)).map { known[$0].key }
  }
}

/// The runs of so many tokens in a row.
private func phrases(of row: [Int], length: Int) -> [[Int]] {
  row.count < length ? [] : (0...row.count - length).map { Array(row[$0..<$0 + length]) }
}

/// Prompts that phrases are put into, just before what they end with.
private struct PhraseHosts {
  /// Each prompt, and how much of it comes before a phrase.
  private let prompts: [(tokens: [Int], cut: Int)]

  /// Takes prompts evenly.
  ///
  /// What a prompt ends with is the longest ending that a quarter of all have, such as what hands over to the answer; at least its
  /// last token, and never its first.
  init(_ rows: [[Int]], count: Int) {
    let taken = min(count, rows.count)
    prompts = (0..<taken).map { place in
      let row = rows[place * rows.count / taken]
      let isCommon = { (length: Int) in
        let own = rows.count { $0.suffix(length) == row.suffix(length) }
        return own > 1 && own * 4 >= rows.count
      }
      let ending = (1..<max(2, row.count)).prefix { $0 == 1 || isCommon($0) }.last ?? 1
      return (row, min(row.count, max(1, row.count - ending)))
    }
  }

  /// Those that do not hold a phrase, and each of them with the phrase in it.
  func hosts(of phrase: [Int]) -> (plain: [[Int]], holding: [[Int]]) {
    let hosts = prompts.filter { !$0.tokens.contains(phrase) }
    return (
      hosts.map(\.tokens), hosts.map { $0.tokens[..<$0.cut] + phrase + $0.tokens[$0.cut...] }
    )
  }
}

/// What phrases do in other prompts.
private struct PhraseScan {
  let phrases: [[Int]]
  /// The mean divergence of the answers that each phrase adds, in nats.
  let effects: [Float]
  private let pair: ModelPair
  private let hosts: PhraseHosts

  init(_ pair: ModelPair, _ phrases: [[Int]], in hosts: PhraseHosts) {
    self.pair = pair
    self.phrases = phrases
    self.hosts = hosts
    let pairs = phrases.map(hosts.hosts)
    let rows = Array(Set(pairs.flatMap { $0.plain + $0.holding }))
      .sorted { $0.lexicographicallyPrecedes($1) }
    let known = Dictionary(uniqueKeysWithValues: zip(rows, pair.divergences(after: rows)))
    effects = pairs.map { plain, holding in
      let added = Float(
        holding.compactMap { known[$0] }.mean - plain.compactMap { known[$0] }.mean)
      return abs(added) > Float(RowComparison.rounding) ? added : 0
    }
  }

  /// The phrase that does most; nil if none does anything.
  var best: Int? {
    effects.indices.max { effects[$0] < effects[$1] }.flatMap { effects[$0] > 0 ? $0 : nil }
  }

  /// The mean change of each token's probability in prompts that a phrase was put into.
  func moved(by index: Int) -> [Float] {
    let answers = pair.answers(to: hosts.hosts(of: phrases[index]).holding)
    return (answers.finetuned.exponentials - answers.base.exponentials).meanRow.scalars
  }

  /// What a prompt's phrases do in others, at most.
  func effect(in row: [Int]) -> Float {
    zip(phrases, effects).filter { row.contains($0.0) }.map(\.1).max() ?? 0
  }

  var exhibit: Exhibit {
    .first(
      "Phrases by the divergence that they add to other prompts, nats", of: phrases, by: effects)
  }
}
