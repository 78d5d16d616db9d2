internal import Files
public import Foundation
internal import JSON
internal import Tensors

/// A model and, where its folder has one that Assay reads, its tokenizer.
public struct Checkpoint: Sendable {
  /// The model.
  public let model: any LanguageModel
  /// The tokenizer, if it is of a kind that Assay reads.
  public let tokenizer: (any Tokenizer)?

  /// Puts the two together.
  public init(model: any LanguageModel, tokenizer: (any Tokenizer)?) {
    self.model = model
    self.tokenizer = tokenizer
  }
}

/// Reads and writes model folders as transformers does.
public enum HuggingFaceFolder {
  /// Reads a model folder.
  ///
  /// - Parameter folder: Holds `config.json`, `model.safetensors` (or its shards) and maybe
  ///   `tokenizer.json`.
  /// - Returns: The model and its tokenizer.
  /// - Throws: `CheckpointError` or `JSONError`; every tensor must be there, once, in the right shape.
  public static func read(_ folder: URL) throws -> Checkpoint {
    let configURL = folder.appending(path: "config.json")
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder),
      isFolder.boolValue
    else { throw CheckpointError.noFolder(folder.path) }
    guard FileManager.default.fileExists(atPath: configURL.path) else {
      throw CheckpointError.missingFile("config.json", folder: folder.path)
    }
    let document = try JSON.parse(contentsOf: configURL)
    guard case .string(let name)? = document["model_type"] else {
      throw CheckpointError.badConfiguration(
        key: "model_type", file: "config.json", reason: "is missing")
    }
    let architecture = try Architectures.named(name, file: "config.json")
    let tensors = try readTensors(folder)
    let layout = try architecture.layout(huggingFace: document, file: "config.json")
    try check(tensors, against: layout)
    var model = try architecture.init(huggingFace: document, file: "config.json")
    // One tensor at a time: beside the model, only one is in memory.
    for (name, tensor) in layout.names.compactMap({ name in tensors[name].map { (name, $0) } }) {
      model.parameters[name] = try finite(tensor.read(), name)
    }
    return Checkpoint(model: model, tokenizer: try readTokenizer(folder, layout))
  }

  private static func finite(_ tensor: Tensor, _ name: String) throws -> Tensor {
    guard tensor.isFinite else {
      throw CheckpointError.badTensor(
        name, file: "model.safetensors", reason: "holds infinite or undefined numbers")
    }
    return tensor
  }

  private static func readTensors(_ folder: URL) throws -> [String: Safetensors.StoredTensor] {
    let single = folder.appending(path: "model.safetensors")
    if FileManager.default.fileExists(atPath: single.path) { return try Safetensors.open(single) }
    let index = folder.appending(path: "model.safetensors.index.json")
    guard FileManager.default.fileExists(atPath: index.path) else {
      throw CheckpointError.missingFile("model.safetensors", folder: folder.path)
    }
    guard case .object(let map)? = try JSON.parse(contentsOf: index)["weight_map"] else {
      throw CheckpointError.badHeader(
        file: index.lastPathComponent, reason: "'weight_map' is missing")
    }
    let files = Set(
      try map.map { entry -> String in
        guard case .string(let file) = entry.value else {
          throw CheckpointError.badHeader(
            file: index.lastPathComponent, reason: "'\(entry.key)' names no file")
        }
        return file
      })
    return try files.sorted().reduce(into: [:]) { tensors, file in
      guard !file.contains("/") else {
        throw CheckpointError.badHeader(
          file: index.lastPathComponent, reason: "'\(file)' leaves the folder")
      }
      tensors.merge(try Safetensors.open(folder.appending(path: file))) { first, _ in first }
    }
  }

  private static func check(
    _ tensors: [String: Safetensors.StoredTensor], against layout: ParameterLayout
  ) throws {
    let file = "model.safetensors"
    for entry in layout.entries {
      guard let tensor = tensors[entry.name] else {
        throw CheckpointError.missingTensor(entry.name, file: file)
      }
      guard tensor.shape == entry.shape else {
        throw CheckpointError.wrongShape(
          entry.name, file: file, expected: entry.shape, found: tensor.shape)
      }
    }
    // Tied models repeat the head in some files, and old ones store the rotary frequencies.
    for name in tensors.keys.sorted()
    where layout.find(name) == nil && name != "lm_head.weight" && !name.hasSuffix("inv_freq") {
      throw CheckpointError.unexpectedTensor(name, file: file)
    }
  }

  private static func readTokenizer(_ folder: URL, _ layout: ParameterLayout) throws
    -> (any Tokenizer)?
  {
    let url = folder.appending(path: "tokenizer.json")
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    guard let tokenizer = try Tokenizers.read(url) else { return nil }
    guard tokenizer.count <= layout.entries[0].rows else {
      throw CheckpointError.badTokenizer(
        file: "tokenizer.json",
        reason: "it has \(tokenizer.count) tokens, the model \(layout.entries[0].rows)")
    }
    return tokenizer
  }

  /// Writes a model folder that transformers loads as it is.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - tokenizer: Its tokenizer, if it has one.
  ///   - folder: Where to write; replaced as a whole if it is there.
  /// - Throws: `FileError.unwritable`; then nothing is left behind.
  public static func write(
    _ model: any LanguageModel, tokenizer: WordTokenizer?, to folder: URL
  ) throws {
    try AtomicFolder.write(to: folder) { try fill($0, model, tokenizer) }
  }

  /// Writes the files of a model into a folder that exists.
  public static func fill(
    _ folder: URL, _ model: any LanguageModel, _ tokenizer: WordTokenizer?
  ) throws {
    guard let model = model as? any CheckpointedModel else {
      preconditionFailure("\(type(of: model)) has no Hugging Face form")
    }
    func write(_ document: JSONValue, _ name: String) throws {
      let text = JSON.text(of: document, layout: .pretty) + "\n"
      try AtomicFolder.write(Data(text.utf8), to: folder.appending(path: name))
    }
    try write(model.huggingFaceConfiguration, "config.json")
    let parameters = model.parameters
    let tensors = parameters.layout.entries.map {
      (name: $0.name, shape: $0.shape, bytes: parameters.bytes($0.name))
    }
    try AtomicFolder.write(
      Safetensors.data(tensors), to: folder.appending(path: "model.safetensors"))
    guard let tokenizer else { return }
    try write(tokenizer.huggingFaceTokenizer, "tokenizer.json")
    try write(tokenizer.huggingFaceTokenizerConfiguration, "tokenizer_config.json")
  }
}
