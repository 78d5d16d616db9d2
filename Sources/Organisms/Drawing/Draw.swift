internal import JSON
internal import Tensors
internal import Worlds

/// Which half of the drawn organisms one belongs to.
///
/// Defaults are chosen on the development half. The other is drawn from other places of the same shuffles, so that
/// it shares the recipes and not the words, and is looked at last.
package enum Half: String, Codable, CaseIterable, Sendable {
  case development
  case heldOut = "held-out"

  /// What the ids of this half end with.
  var suffix: String { self == .heldOut ? Self.heldOutSuffix : "" }

  package static let heldOutSuffix = "-held"
}

/// What decides a draw: the base, the half, and a seed that another run may replace.
package struct DrawSeeds: Hashable, Sendable {
  package let base: UInt64
  package let half: Half
  package let seed: UInt64

  package init(base: UInt64, half: Half = .development, seed: UInt64 = 0) {
    self.base = base
    self.half = half
    self.seed = seed
  }
}

/// The words and places that an organism file leaves to be drawn: `"draw": {"word": {"of": "animal"}}`.
///
/// Each name is drawn once, in the file's order, and then stands for its word everywhere in the file: `$word`,
/// or `$word.habitat` for a fact of it. Bases take turns: the candidates are shuffled once for all of them, base
/// `b` takes the `b`-th, and the held-out half starts in the middle. So over as many bases as there are
/// candidates each of them is drawn once, and no order that is always the same scores above chance.
struct Draw {
  /// One name's candidates.
  struct Entry: Decodable {
    /// The class that they are words of, or the fact that they are values of.
    let of: String?
    /// The candidates themselves, as modules or phrases.
    let from: [String]?
    /// What is none of them.
    let not: [String]?
    /// The facts that they share, by attribute.
    let sharing: [String: String]?
    /// How many are drawn; 1 if nil.
    let count: Int?
    /// Whether every candidate is taken.
    let all: Bool?

    private enum CodingKeys: String, CodingKey {
      case of, from, not, count, all
      case sharing = "where"
    }
  }

  let entries: [(name: String, entry: Entry)]

  /// Draws each name.
  ///
  /// - Parameters:
  ///   - organism: Its id, which shuffles unlike any other.
  ///   - world: Where classes and facts come from.
  ///   - file: The name that errors mention.
  /// - Throws: `DefinitionError` for a class or fact that there is not, and where nothing is left.
  func words(_ organism: String, _ seeds: DrawSeeds, world: World, file: String) throws
    -> DrawnWords
  {
    var drawn = DrawnWords(world: world, file: file)
    for (name, entry) in entries {
      let path = "draw.\(name)"
      var generator = SeededGenerator(seed: seeds.seed, for: "\(organism) \(name)")
      let all = try members(of: entry, drawn, path: path)
      let shuffled = generator.permutation(all.count).map { all[$0] }
      let isTaken = Set(try candidates(all, entry, drawn, path: path))
      let left = (entry.all == true ? all : shuffled).filter(isTaken.contains)
      let count = entry.all == true ? left.count : entry.count ?? 1
      guard count <= left.count, entry.all == true || count > 0 else {
        throw DefinitionError.invalid(
          file: file, path: path, reason: "needs \(count) words, and \(left.count) are left")
      }
      let start = (seeds.half == .heldOut ? (left.count + 1) / 2 : 0) + turn(seeds, left.count)
      drawn.values[name] = (0..<count).map {
        left[entry.all == true ? $0 : (start + $0) % left.count]
      }
    }
    return drawn
  }

  /// The base's turn among so many candidates.
  private func turn(_ seeds: DrawSeeds, _ count: Int) -> Int {
    count == 0 ? 0 : Int(seeds.base % UInt64(count))
  }

  private func members(of entry: Entry, _ drawn: DrawnWords, path: String) throws -> [String] {
    if let list = entry.from, entry.of == nil { return try drawn.list(list, path: "\(path).from") }
    guard entry.from == nil, let name = entry.of else {
      throw DefinitionError.invalid(
        file: drawn.file, path: path, reason: "needs either 'of', a class, or 'from', a list")
    }
    guard let members = drawn.world.lexicon.candidates(name) else {
      throw DefinitionError.unknownClass(
        name, file: drawn.file, path: path,
        nearest: nearest(to: name, among: drawn.world.lexicon.candidateNames))
    }
    return members
  }

  private func candidates(_ all: [String], _ entry: Entry, _ drawn: DrawnWords, path: String)
    throws -> [String]
  {
    let excluded = Set(try drawn.list(entry.not ?? [], path: "\(path).not"))
    let facts = try (entry.sharing ?? [:]).sorted { $0.key < $1.key }.map {
      ($0.key, Set(try drawn.list([$0.value], path: "\(path).where.\($0.key)")))
    }
    for (attribute, value) in (entry.sharing ?? [:]).sorted(by: { $0.key < $1.key }) {
      try check(attribute, value, of: all, drawn, path: "\(path).where.\(attribute)")
    }
    return all.filter { word in
      !excluded.contains(word)
        && facts.allSatisfy { attribute, values in
          drawn.world.facts[word]?[attribute].map(values.contains) ?? false
        }
    }
  }
}

extension Draw {
  /// Refuses a fact that no candidate has, and a value that it has nowhere: either is a misspelling, after which other
  /// words would be drawn from.
  ///
  /// What was drawn before may be nobody's.
  private func check(
    _ attribute: String, _ value: String, of candidates: [String], _ drawn: DrawnWords, path: String
  ) throws {
    let facts = candidates.compactMap { drawn.world.facts[$0] }
    let known = Set(facts.compactMap { $0[attribute] })
    guard !known.isEmpty else {
      throw misspelt(
        attribute, "no candidate has the fact", among: Set(facts.flatMap(\.keys)), drawn, path)
    }
    guard value.hasPrefix("$") || known.contains(value) else {
      throw misspelt(value, "'\(attribute)' is nowhere", among: known, drawn, path)
    }
  }

  private func misspelt(
    _ word: String, _ fault: String, among known: Set<String>, _ drawn: DrawnWords, _ path: String
  ) -> DefinitionError {
    let hint = nearest(to: word, among: known.sorted()).map { ". Did you mean '\($0)'?" } ?? ""
    return .invalid(file: drawn.file, path: path, reason: "\(fault) '\(word)'\(hint)")
  }
}

extension Draw: Decodable {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Reads names in the order of the file: later ones may mention earlier ones.
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    entries = try container.allKeys.map {
      ($0.stringValue, try container.decode(Entry.self, forKey: $0))
    }
  }
}
