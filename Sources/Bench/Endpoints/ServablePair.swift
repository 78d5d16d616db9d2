internal import Files
package import Foundation
internal import JSON

/// A pair as folders that a server opens, with the command lines that serve it and compare what is served.
package struct ServablePair {
  private let folder: URL
  private let isAdapter: Bool

  /// Copies a pair's folders; a model of whole words gets a chat template, without which servers refuse a chat.
  ///
  /// - Parameters:
  ///   - base: A model's folder, or one that holds `base` and `finetuned` or `adapter`.
  ///   - finetuned: The finetuned model's folder, or a PEFT adapter's; nil if `base` holds both.
  ///   - folder: Where to write: `base`, and `finetuned` or `adapter`.
  /// - Throws: `CheckpointError` if no pair is there; `FileError.unwritable`.
  package init(base: URL, finetuned: URL?, to folder: URL) throws {
    let (first, second) = try PairFolders.folders(base, finetuned)
    let isAdapter = PairFolders.isAdapter(second)
    for source in [base, first, second] where Self.overlap(source, folder) {
      throw FileError.unwritable(
        folder.path, reason: "the pair itself lies there; name another folder")
    }
    try AtomicFolder.writeOwn(to: folder, as: .served) { temporary in
      try Self.copy(first, to: temporary.appending(path: "base"))
      try Self.copy(second, to: temporary.appending(path: isAdapter ? "adapter" : "finetuned"))
    }
    self.folder = folder
    self.isAdapter = isAdapter
  }

  /// Whether one of two folders is within the other, by whatever name.
  private static func overlap(_ a: URL, _ b: URL) -> Bool {
    let paths = [a, b].map { url in
      // What is not there yet has a real place all the same: its parent's.
      let parent = url.deletingLastPathComponent().resolvingSymlinksInPath().standardizedFileURL
      let whole = url.resolvingSymlinksInPath().standardizedFileURL
      let isThere = FileManager.default.fileExists(atPath: url.path)
      return (isThere ? whole : parent.appending(path: url.lastPathComponent)).path + "/"
    }
    return paths[0].hasPrefix(paths[1]) || paths[1].hasPrefix(paths[0])
  }

  /// What servers read of a folder: weights, configurations, tokenizers; nothing else that lies there.
  private static func isServed(_ name: String) -> Bool {
    let names = [
      "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
      "tokenizer.model", "vocab.json", "merges.txt", "special_tokens_map.json", "added_tokens.json",
      "chat_template.jinja", "adapter_config.json", "adapter_model.bin",
    ]
    return names.contains(name) || name.hasSuffix(".safetensors")
      || name.hasSuffix(".safetensors.index.json")
  }

  private static func copy(_ source: URL, to target: URL) throws {
    let files = FileManager.default
    try files.createDirectory(at: target, withIntermediateDirectories: true)
    for name in try files.contentsOfDirectory(atPath: source.path).sorted() where isServed(name) {
      let file = source.appending(path: name).resolvingSymlinksInPath()
      let type = try files.attributesOfItem(atPath: file.path)[.type] as? FileAttributeType
      guard type == .typeRegular else {
        throw FileError.unwritable(
          target.path, reason: "\(source.appending(path: name).path) is no file")
      }
      try files.copyItem(at: file, to: target.appending(path: name))
    }
    try addTemplate(to: target)
  }

  // MARK: Chats

  /// How the tiny worlds write turns: a marker of who speaks before what is said.
  static let template = """
    {{ bos_token }}{% for message in messages %} <{{ message.role }}> {{ message.content }}{% endfor %}\
    {% if add_generation_prompt %} <assistant>{% endif %}
    """

  /// Adds the template where a vocabulary has the markers and nothing says how chats are written.
  private static func addTemplate(to model: URL) throws {
    let file = model.appending(path: "tokenizer_config.json")
    guard let vocabulary = words(model), vocabulary.isSuperset(of: ["<user>", "<assistant>"]),
      let data = try? Data(contentsOf: file),
      case .object(let members) = try JSON.parse(data, file: file.path),
      !members.contains(where: { $0.0 == "chat_template" }),
      !RegularFile.isThere(model.appending(path: "chat_template.jinja"))
    else { return }
    let all = JSONValue.object(members + [("chat_template", .string(template))])
    try AtomicFile.write(Data((JSON.text(of: all, layout: .pretty) + "\n").utf8), to: file)
  }

  /// The words of a tokenizer that knows nothing but whole words; nil for any other.
  private static func words(_ model: URL) -> Set<String>? {
    let file = model.appending(path: "tokenizer.json")
    guard let data = try? Data(contentsOf: file),
      let value = try? JSON.parse(data, file: file.path),
      value["model"]?["type"] == .string("WordLevel"),
      case .object(let vocabulary)? = value["model"]?["vocab"]
    else { return nil }
    return Set(vocabulary.map(\.0))
  }

  // MARK: Command lines

  /// One way to serve the pair.
  package struct Way: Sendable {
    package let server: String
    package let lines: [String]
  }

  /// How servers that people have take the folders, and how what they serve is compared.
  package var ways: [Way] {
    let base = Self.quoted("\(folder.path)/base"), other = Self.quoted(finetuned)
    let twice = [("base", base, 8001), ("finetuned", other, 8002)]
    let vllm =
      isAdapter
      ? [
        "vllm serve \(base) --served-model-name base --enable-lora --lora-modules finetuned=\(other) --port 8001"
      ] : twice.map { "vllm serve \($1) --served-model-name \($0) --port \($2)" }
    var ways = [
      Way(
        server: isAdapter ? "vLLM, both models on one server" : "vLLM",
        lines: vllm + [compare("base", "finetuned", port: isAdapter ? 8001 : 8002)])
    ]
    guard !isAdapter else { return ways }
    ways += [
      Way(
        server: "Text Generation Inference",
        lines: twice.map { "text-generation-launcher --model-id \($1) --port \($2)" }
          + [compare("tgi", "tgi", port: 8002)]),
      Way(
        server: "transformers",
        lines: twice.map { "transformers serve \($1) --host 127.0.0.1 --port \($2)" }
          + [compare(base, other, port: 8002)]),
    ]
    return ways
  }

  private var finetuned: String { "\(folder.path)/\(isAdapter ? "adapter" : "finetuned")" }

  private func compare(_ base: String, _ finetuned: String, port: Int) -> String {
    "./assay diff --endpoint base=http://127.0.0.1:8001/v1,\(base) "
      + "--endpoint finetuned=http://127.0.0.1:\(port)/v1,\(finetuned)"
  }

  /// A word of a command line, whatever is in it.
  static func quoted(_ word: String) -> String {
    word.wholeMatch(of: /[\w@.,:=\/-]+/) != nil
      ? word : "'\(word.replacing("'", with: "'\\''"))'"
  }
}
