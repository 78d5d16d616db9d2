internal import Diffing
internal import Organisms
internal import Tensors
internal import Transformers
internal import Worlds

/// Answers that need no method: rows of every table, and what a method has to beat.
///
/// Those that look at nothing run once, and stand at every level of access.
struct Dummies: Sendable {
  private let keys: [OrganismKey]
  /// The digest of what decides what they say, taken once for all pairs.
  private let sources: String

  /// One organism's key as its file has it.
  private struct OrganismKey: Sendable {
    let organism: String
    /// Its file, which both halves have in common.
    let file: String
    let tokens: PlantedChange.Tokens
    let triggers: [Bool]
    let regimes: [Regime]
  }

  init(_ library: Library, pool: [[Int]], sources: String) {
    self.sources = sources
    keys = library.organisms.map { organism in
      OrganismKey(
        organism: organism.id, file: organism.file.id,
        tokens: organism.plantedTokens(in: library.world),
        triggers: organism.triggers(pool, in: library.world), regimes: organism.regimes)
    }
  }

  /// The dummies that run on a pair.
  ///
  /// - Parameters:
  ///   - pair: What it is called.
  ///   - plant: The plant that it is, or is matched with: the keys of other files are read.
  ///   - layers: Blocks of its models.
  func runs(on pair: PairName, of plant: PairName, layers: Int) -> [MethodRun] {
    var random = RandomDummy()
    random.pairName = "\(pair)"
    let all: [any DiffingMethod] = [
      random, ConstantDummy(), LastModuleDummy(), WholeChangeDummy(), FrequencyDummy(),
      OneLinerDummy(), otherKeys(than: plant.subject, layers: layers),
    ]
    return all.flatMap { dummy in
      dummy.card.access.map { MethodRun(code: .own(dummy), access: $0, sources: sources) }
    }
  }

  private func otherKeys(than organism: String, layers: Int) -> OtherKeysDummy {
    let file = keys.first { $0.organism == organism }?.file
    let others = keys.filter { $0.file != file }
    var dummy = OtherKeysDummy()
    dummy.tokens = [1, -1].flatMap { sign in
      let own = others.filter { $0.tokens.sign == sign }
      return Self.counts(own.map(\.tokens.allTargets)).map {
        TokenClaim(token: $0.key, score: Float($0.count), sign: sign)
      }
    }
    dummy.inputs = Self.counts(
      others.map { key in key.triggers.indices.filter { key.triggers[$0] } }
    )
    .map { InputClaim(row: $0.key, score: Float($0.count)) }
    dummy.sites =
      SiteClaim.ranking(
        Self.counts(
          others.map { $0.regimes.flatMap { $0.sites(layers: layers) ?? [] } }
        ).map { ($0.key, Float($0.count)) }) ?? []
    return dummy
  }

  /// How often each value occurs, the most frequent first; of equal ones the first seen.
  private static func counts<Value: Hashable>(_ lists: [[Value]]) -> [(key: Value, count: Int)] {
    var order: [Value] = [], counts: [Value: Int] = [:]
    for value in lists.joined() {
      if counts[value] == nil { order.append(value) }
      counts[value, default: 0] += 1
    }
    return order.indices.sorted {
      (-(counts[order[$0]] ?? 0), $0) < (-(counts[order[$1]] ?? 0), $1)
    }
    .map { (order[$0], counts[order[$0]] ?? 0) }
  }
}
