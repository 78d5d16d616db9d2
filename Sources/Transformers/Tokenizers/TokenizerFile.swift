internal import Foundation
internal import JSON

/// What `tokenizer.json` says whatever kind of model it holds: special tokens, and what surrounds a document.
package struct TokenizerFile: Sendable {
  /// A token that was added to the model's own.
  struct AddedToken {
    let id: Int
    let text: String
    let isSpecial: Bool
    /// Whether it is one only where a whole word is it, not within others.
    let isWholeWord: Bool
    /// Whether white space before and behind it belongs to it.
    let stripsLeft: Bool, stripsRight: Bool
    /// Whether it is looked for in the normalised text.
    let isNormalized: Bool
  }

  let document: JSONValue
  let added: [AddedToken]
  let surroundings: Surroundings
  let path: String
  let roles: TokenRoles

  /// Tokens that stand for no text: those that are marked so, and those that have a role in the files beside.
  let specialTokens: Set<Int>

  /// The token that starts each document, if one does.
  var documentStart: Int? { surroundings.before.first }

  /// Reads `tokenizer.json`, and the roles of tokens from the files beside it.
  ///
  /// - Throws: `JSONError` or `CheckpointError.badTokenizer`.
  init(_ url: URL) throws {
    try self.init(
      JSON.parse(contentsOf: url, named: url.path, isLenient: true),
      roles: TokenRoles(beside: url), path: url.path)
  }

  /// Takes what such a file would hold.
  ///
  /// - Throws: `CheckpointError.badTokenizer`.
  init(_ document: JSONValue, roles: TokenRoles, path: String) throws {
    (self.document, self.roles, self.path) = (document, roles, path)
    added = try Self.added(document, path)
    let ids = added.map { ($0.text, $0.id) } + Self.words(document)
    specialTokens = Set(added.filter(\.isSpecial).map(\.id)).union(roles.special(among: ids))
    var surroundings = try Self.surroundings(document["post_processor"], path)
    if surroundings.before.isEmpty, let start = roles.start(among: ids) {
      surroundings.before = [start]
    }
    self.surroundings = surroundings
  }

  private static func added(_ document: JSONValue, _ path: String) throws -> [AddedToken] {
    guard case .array(let entries)? = document["added_tokens"] else { return [] }
    return try entries.map { entry in
      guard case .integer(let id)? = entry["id"], (0..<idLimit).contains(id),
        case .string(let text)? = entry["content"]
      else {
        throw CheckpointError.badTokenizer(
          file: path, reason: "an entry of 'added_tokens' has no id or no content")
      }
      func isSet(_ key: String) -> Bool { entry[key] == .bool(true) }
      return AddedToken(
        id: Int(id), text: text, isSpecial: isSet("special"), isWholeWord: isSet("single_word"),
        stripsLeft: isSet("lstrip"), stripsRight: isSet("rstrip"),
        isNormalized: isSet("normalized"))
    }
  }

  /// More tokens than any model has: what claims such an id is damaged.
  static let idLimit: Int64 = 1 << 24

  /// The words of the model, if it has an object of them.
  static func words(_ document: JSONValue) -> [(String, Int)] {
    guard case .object(let members)? = document["model"]?["vocab"] else { return [] }
    return members.compactMap { word, id in
      if case .integer(let id) = id { (word, Int(id)) } else { nil }
    }
  }

  /// What a post-processor puts around one text.
  private static func surroundings(_ processor: JSONValue?, _ path: String) throws
    -> Surroundings
  {
    guard let processor, processor != .null else { return Surroundings() }
    switch processor["type"] {
    case .string("TemplateProcessing"): return try template(processor, path)
    case .string("BertProcessing"), .string("RobertaProcessing"):
      return Surroundings(
        before: [try pairId(processor["cls"], path)], after: [try pairId(processor["sep"], path)])
    case .string("ByteLevel"): return Surroundings()
    case .string("Sequence"):
      guard case .array(let parts)? = processor["processors"] else { break }
      // Each works on what the one before it made, so the last stands outermost.
      return try parts.reduce(Surroundings()) { inner, part in
        let outer = try surroundings(part, path)
        return Surroundings(before: outer.before + inner.before, after: inner.after + outer.after)
      }
    default: break
    }
    throw CheckpointError.badTokenizer(
      file: path, reason: "its 'post_processor' is of a kind that is not supported")
  }

  private static func pairId(_ value: JSONValue?, _ path: String) throws -> Int {
    guard case .array(let pair)? = value, pair.count == 2, case .integer(let id) = pair[1],
      (0..<idLimit).contains(id)
    else {
      throw CheckpointError.badTokenizer(
        file: path, reason: "its 'post_processor' names no token")
    }
    return Int(id)
  }

  private static func template(_ processor: JSONValue, _ path: String) throws -> Surroundings {
    func fault() -> CheckpointError {
      .badTokenizer(file: path, reason: "its 'post_processor' is no template of one text")
    }
    guard case .array(let pieces)? = processor["single"] else { throw fault() }
    var found = Surroundings(), isBehind = false
    for piece in pieces {
      if let sequence = piece["Sequence"] {
        guard !isBehind, sequence["id"] == .string("A") else { throw fault() }
        isBehind = true
        continue
      }
      guard case .string(let name)? = piece["SpecialToken"]?["id"],
        case .array(let ids)? = processor["special_tokens"]?[name]?["ids"]
      else { throw fault() }
      let numbers = try ids.map { id in
        guard case .integer(let id) = id, (0..<idLimit).contains(id) else { throw fault() }
        return Int(id)
      }
      if isBehind { found.after += numbers } else { found.before += numbers }
    }
    guard isBehind else { throw fault() }
    return found
  }
}
