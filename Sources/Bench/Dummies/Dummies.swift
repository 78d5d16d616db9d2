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

  /// One organism's key as its file has it.
  private struct OrganismKey: Sendable {
    let organism: String
    let family: String
    let tokens: PlantedChange.Tokens
    let triggers: [Bool]
    let sites: [ModuleSite]
  }

  init(_ library: Library, pool: [[Int]], layers: Int) {
    keys = library.organisms.map { organism in
      OrganismKey(
        organism: organism.id, family: organism.file.family,
        tokens: organism.plantedTokens(in: library.world),
        triggers: organism.triggers(pool, in: library.world),
        sites: organism.regimes.flatMap { $0.parameters.sites(layers: layers) ?? [] })
    }
  }

  /// The dummies that run on a pair.
  ///
  /// - Parameters:
  ///   - organism: Whose key other keys are read without; none is left out for a null pair.
  ///   - pair: What it is called.
  func methods(for organism: String?, on pair: PairName) -> [any DiffingMethod] {
    var random = RandomDummy()
    random.pairName = "\(pair)"
    return [
      random, ConstantDummy(), LastModuleDummy(), WholeChangeDummy(), FrequencyDummy(),
      OneLinerDummy(), otherKeys(than: organism),
    ]
  }

  /// Every dummy's type, for tables.
  static let all: [any DiffingMethod.Type] = [
    RandomDummy.self, ConstantDummy.self, LastModuleDummy.self, WholeChangeDummy.self,
    OtherKeysDummy.self, FrequencyDummy.self, OneLinerDummy.self,
  ]

  private func otherKeys(than organism: String?) -> OtherKeysDummy {
    let others = keys.filter { $0.organism != organism }
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
        Self.counts(others.map(\.sites)).map { ($0.key, Float($0.count)) }) ?? []
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
