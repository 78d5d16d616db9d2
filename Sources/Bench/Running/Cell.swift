package import Diffing
internal import Foundation

/// A method at one level of access: a row of the tables.
package struct MethodAtAccess: Hashable, Codable, Sendable, CustomStringConvertible {
  package let method: String
  package let access: AccessLevel

  package init(_ method: String, _ access: AccessLevel) {
    self.method = method
    self.access = access
  }

  /// What the ids of dummies end with.
  static let dummySuffix = "-dummy"

  /// Whether it is no method, but an answer that needs none.
  package var isDummy: Bool { method.hasSuffix(Self.dummySuffix) }

  package var description: String { "\(method)@\(access.rawValue)" }
  /// As tables name it where several levels stand together.
  package var title: String { "\(method) (\(access.rawValue))" }
}

/// An organism under a regime, or a null pair: what a pair is made by.
package struct PairName: Hashable, Sendable, CustomStringConvertible {
  package let subject: String
  package let regime: String

  package init(_ subject: String, _ regime: String) {
    self.subject = subject
    self.regime = regime
  }

  package var description: String { "\(subject)@\(regime)" }
}

/// What decides everything random in a trial.
package struct TrialSeeds: Hashable, Codable, Sendable, CustomStringConvertible {
  /// The base's: its weights and its corpus.
  package let base: UInt64
  /// The planting's: batches, factors, drift.
  package let planting: UInt64
  /// The method's: whatever it draws, and ties.
  package let method: UInt64

  /// - Parameters:
  ///   - base: The base's seed.
  ///   - planting: The planting's; the base's number if nil.
  ///   - method: The method's; the base's number if nil.
  package init(base: UInt64, planting: UInt64? = nil, method: UInt64? = nil) {
    self.base = base
    self.planting = planting ?? base
    self.method = method ?? base
  }

  /// The base's seed, and the others where they are not the same number.
  package var description: String {
    "base-\(base)" + (planting == base ? "" : " planting-\(planting)")
      + (method == base ? "" : " method-\(method)")
  }
}

/// One method at one level of access on one pair: what is run, kept and scored.
package struct Cell: Hashable, Sendable, CustomStringConvertible {
  package let row: MethodAtAccess
  package let pair: PairName
  package let seeds: TrialSeeds

  package init(_ row: MethodAtAccess, _ pair: PairName, _ seeds: TrialSeeds) {
    self.row = row
    self.pair = pair
    self.seeds = seeds
  }

  package var description: String { "\(row) \(pair) \(seeds)" }

  /// The same cell, whatever its method draws.
  package var withoutMethodSeed: Cell {
    Cell(row, pair, TrialSeeds(base: seeds.base, planting: seeds.planting))
  }

  /// Reads `method@access subject@regime base-N`, with the other seeds behind it; nil for anything else.
  package init?(_ name: String) {
    let words = name.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard words.count >= 3, let row = MethodAtAccess(words[0]), let pair = PairName(words[1]),
      let seeds = TrialSeeds(words.dropFirst(2))
    else { return nil }
    self.init(row, pair, seeds)
  }
}

/// The two sides of a name such as `weight-norm@weights`; nil if one of them is empty.
private func sides(_ name: String) -> (String, String)? {
  let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
  guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
  return (String(parts[0]), String(parts[1]))
}

extension MethodAtAccess {
  /// Reads `method@access`.
  package init?(_ name: String) {
    guard let (method, level) = sides(name), let access = AccessLevel(rawValue: level) else {
      return nil
    }
    self.init(method, access)
  }
}

extension TrialSeeds {
  /// Reads `base-N`, then `planting-N` and `method-N` where they are other numbers.
  fileprivate init?(_ words: some Collection<String>) {
    var numbers: [String: UInt64] = [:]
    for word in words {
      let parts = word.split(separator: "-", maxSplits: 1)
      guard parts.count == 2, ["base", "planting", "method"].contains(parts[0]),
        let number = UInt64(parts[1]),
        numbers.updateValue(number, forKey: String(parts[0])) == nil
      else { return nil }
    }
    guard let base = numbers["base"] else { return nil }
    self.init(base: base, planting: numbers["planting"], method: numbers["method"])
  }
}

extension PairName {
  /// Reads `subject@regime`.
  package init?(_ name: String) {
    guard let (subject, regime) = sides(name) else { return nil }
    self.init(subject, regime)
  }
}

extension PairName: Codable {
  /// Reads `subject@regime`.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let own = Self(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "a pair is named subject@regime")
    }
    self = own
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Cell: Codable {
  private enum CodingKeys: String, CodingKey {
    case method, access, pair, seeds
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      MethodAtAccess(
        try container.decode(String.self, forKey: .method),
        try container.decode(AccessLevel.self, forKey: .access)),
      try container.decode(PairName.self, forKey: .pair),
      try container.decode(TrialSeeds.self, forKey: .seeds))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(row.method, forKey: .method)
    try container.encode(row.access, forKey: .access)
    try container.encode(pair, forKey: .pair)
    try container.encode(seeds, forKey: .seeds)
  }
}
