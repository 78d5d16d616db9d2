internal import Foundation
internal import JSON

/// Where a model is read from, in whatever form it is kept there.
struct ModelSource {
  /// What `config.json` says, or would say.
  let configuration: JSONValue
  /// What the model is built of.
  let parts: DecoderParts
  let architecture: any Architecture.Type
  /// The file that mistakes in the configuration are told of.
  let path: String
  /// The tensors, by the names of the architecture.
  let tensors: () throws -> StoredTensors
  /// The tokenizer, if there is one.
  let tokenizer: () throws -> TokenizerFile?

  /// Opens a folder, or a GGUF file.
  ///
  /// - Throws: `CheckpointError` or `JSONError`.
  init(_ url: URL) throws {
    if Self.isGGUF(url) {
      try self.init(GGUFModel(url))
    } else {
      try self.init(folder: url)
    }
  }

  private init(folder: URL) throws {
    let url = folder.appending(path: "config.json")
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder),
      isFolder.boolValue
    else { throw CheckpointError.noFolder(folder.path) }
    guard RegularFile.isThere(url) else {
      throw CheckpointError.missingFile("config.json", folder: folder.path)
    }
    guard !RegularFile.isThere(folder.appending(path: "adapter_config.json")) else {
      throw CheckpointError.ambiguousFolder(
        folder.path,
        reason:
          "it holds a whole model and an adapter ('adapter_config.json'), which transformers would apply"
      )
    }
    path = url.path
    configuration = try JSON.parse(contentsOf: url, named: url.path, isLenient: true)
    guard case .string(let name)? = configuration["model_type"] else {
      throw CheckpointError.badConfiguration(
        key: "model_type", file: url.path, reason: "is missing")
    }
    architecture = try Architectures.named(name, file: url.path)
    parts = try architecture.parts(PublishedConfiguration(configuration, file: url.path))
    tensors = { try StoredTensors(folder) }
    tokenizer = { try Self.tokenizer(folder) }
  }

  /// The tokenizer of a folder or a GGUF file, if it has one; a model need not be there.
  static func tokenizer(_ url: URL) throws -> TokenizerFile? {
    if isGGUF(url) { return try GGUFModel(url).tokenizer() }
    let file = url.appending(path: "tokenizer.json")
    return RegularFile.isThere(file) ? try TokenizerFile(file) : nil
  }

  private static func isGGUF(_ url: URL) -> Bool {
    RegularFile.isThere(url) && (url.pathExtension == "gguf" || GGUFFile.isOne(url))
  }

  /// Takes what a GGUF file says.
  ///
  /// - Throws: `CheckpointError`.
  init(_ model: GGUFModel) throws {
    let path = model.path, configuration = try model.configuration()
    let kind = try Architectures.named(model.architecture, file: path)
    self.path = path
    self.configuration = configuration
    architecture = kind
    let parts = try kind.parts(PublishedConfiguration(configuration, file: path))
    self.parts = parts
    tokenizer = { try model.tokenizer() }
    tensors = {
      try StoredTensors(
        model.tensors(
          parts.names, heads: kind.hasReorderedHeads ? (parts.heads, parts.keyHeads) : nil),
        path: path)
    }
  }

  /// What to do about a tensor that is missing, if anything is known.
  func advice(missing name: String) -> String? {
    guard name == parts.tensorNames.head, configuration["tie_word_embeddings"] ?? .null == .null
    else { return nil }
    return "It has no 'tie_word_embeddings' either: set it to true if the head is the embedding."
  }
}
