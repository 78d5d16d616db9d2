internal import JSON

/// Which neighbouring tokens become one, and which of them first.
struct MergeTable: Sendable {
  /// What they become; lower ranks come first.
  struct Merge: Sendable {
    let rank: Int, token: Int
  }

  /// By both tokens in one number, which is hashed in one step.
  private var merges: [Int: Merge] = [:]

  /// Reads the pairs of `merges`, in the order of their ranks.
  ///
  /// - Parameter prefix: What tokens within a word start with; it is left out of the second of a pair.
  /// - Throws: `UnsupportedPart`.
  init(_ list: [JSONValue], _ ids: [Spelling: Int], prefix: String) throws {
    merges.reserveCapacity(list.count)
    for (rank, entry) in list.enumerated() {
      guard let (left, right) = Self.pair(entry) else {
        throw UnsupportedPart("entry \(rank) of its 'merges' is no pair")
      }
      let rest = right.unicodeScalars.dropFirst(prefix.unicodeScalars.count)
      let whole = left + String(rest)
      guard let first = ids[Spelling(left)], let second = ids[Spelling(right)],
        let token = ids[Spelling(whole)]
      else {
        throw UnsupportedPart(
          "entry \(rank) of its 'merges' makes '\(Printable.quoted(whole))' of two parts, and 'vocab' "
            + "lacks one of the three")
      }
      merges[Self.key(first, second)] = Merge(rank: rank, token: token)
    }
  }

  /// What two neighbours become, if they are put together.
  func merge(_ left: Int, _ right: Int) -> Merge? { merges[Self.key(left, right)] }

  private static func key(_ left: Int, _ right: Int) -> Int { left << 32 | right }

  /// `"a b"`, or `["a", "b"]` as files since 2024 have it.
  private static func pair(_ entry: JSONValue) -> (String, String)? {
    switch entry {
    case .string(let text):
      let parts = text.unicodeScalars.split(separator: " ", omittingEmptySubsequences: false)
      return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    case .array(let parts):
      guard parts.count == 2, case .string(let left) = parts[0], case .string(let right) = parts[1]
      else { return nil }
      return (left, right)
    default: return nil
    }
  }
}
