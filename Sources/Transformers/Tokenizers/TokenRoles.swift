internal import Foundation
internal import JSON

/// The roles that `tokenizer_config.json` and `special_tokens_map.json` give to tokens.
struct TokenRoles {
  private let documents: [JSONValue]
  /// What of the files could not be read, each in a sentence.
  let faults: [String]

  private static let single = [
    "bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token",
  ]
  private static let lists = ["additional_special_tokens", "extra_special_tokens"]

  /// Takes what the two files would say.
  init(_ documents: [JSONValue]) { (self.documents, faults) = (documents, []) }

  /// Reads what there is of the two files; neither is needed.
  init(beside url: URL) {
    let folder = url.deletingLastPathComponent()
    var documents: [JSONValue] = [], faults: [String] = []
    func read(_ name: String, _ parse: (URL) throws -> JSONValue) {
      let file = folder.appending(path: name)
      guard RegularFile.isThere(file) else { return }
      do {
        documents.append(try parse(file))
      } catch {
        faults.append("\(file.path) cannot be read, and is left out: \(error)")
      }
    }
    // transformers 5 writes the template beside, and reads that first.
    read("chat_template.jinja") { file in
      .object([("chat_template", .string(try String(contentsOf: file, encoding: .utf8)))])
    }
    for name in ["tokenizer_config.json", "special_tokens_map.json"] {
      read(name) { try JSON.parse(contentsOf: $0, isLenient: true) }
    }
    self.documents = documents
    self.faults = faults
  }

  /// The token that starts a document; nil unless one is named and is to be put there.
  func start(among ids: [(String, Int)]) -> Int? {
    guard documents.contains(where: { $0["add_bos_token"] == .bool(true) }) else { return nil }
    return name("bos_token").flatMap { Self.id($0, ids) }
  }

  /// The token that fills rows up, if one is named.
  var padding: String? { name("pad_token") }

  /// The program that writes chats, and the tokens that it may put at the ends; nil if there is none.
  ///
  /// Of several, the one that is called `default`.
  var chat: (template: String, start: String, end: String)? {
    let template = documents.lazy.compactMap { document -> String? in
      if case .array(let named)? = document["chat_template"] {
        let standard = named.first { $0["name"] == .string("default") } ?? named.first
        return Self.text(standard?["template"])
      }
      return Self.text(document["chat_template"])
    }.first
    return template.map { ($0, name("bos_token") ?? "", name("eos_token") ?? "") }
  }

  private func name(_ role: String) -> String? {
    documents.lazy.compactMap { Self.text($0[role]) }.first
  }

  /// Every token that has a role.
  func special(among ids: [(String, Int)]) -> [Int] {
    documents.flatMap { document -> [String] in
      let lists = Self.lists.flatMap { key -> [JSONValue] in
        switch document[key] {
        case .array(let entries)?: entries
        case .object(let members)?: members.map(\.value)
        default: []
        }
      }
      return (Self.single.map { document[$0] } + lists).compactMap(Self.text)
    }.compactMap { Self.id($0, ids) }
  }

  private static func text(_ value: JSONValue?) -> String? {
    guard case .string(let text)? = value?["content"] ?? value else { return nil }
    return text
  }

  private static func id(_ name: String, _ ids: [(String, Int)]) -> Int? {
    let name = Spelling(name)
    return ids.first { Spelling($0.0) == name }?.1
  }
}
