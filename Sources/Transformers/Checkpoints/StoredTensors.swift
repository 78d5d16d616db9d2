package import Foundation
internal import JSON

/// The tensors of a model folder by name, wherever they are stored; none is read yet.
package struct StoredTensors {
  private var byName: [Spelling: any StoredTensor]
  /// The file that names the others, or the only one.
  let path: String

  private static let single = "model.safetensors"
  private static let index = "model.safetensors.index.json"

  /// Opens a folder's files.
  ///
  /// - Throws: `CheckpointError` or `JSONError`; no tensor may be stored twice.
  init(_ folder: URL) throws {
    let single = folder.appending(path: Self.single), index = folder.appending(path: Self.index)
    switch (RegularFile.isThere(single), RegularFile.isThere(index)) {
    case (true, true):
      throw CheckpointError.ambiguousFolder(
        folder.path, reason: "'\(Self.single)' and '\(Self.index)' are both there")
    case (false, false): throw Self.missing(folder)
    case (true, false):
      byName = try Self.named(Safetensors.open(single))
      path = single.path
    case (false, true):
      byName = try Self.shards(index, in: folder)
      path = index.path
    }
  }

  /// Takes tensors that one file holds.
  init(_ tensors: [any StoredTensor], path: String) {
    byName = Self.named(tensors)
    self.path = path
  }

  /// The tensors of a folder or a GGUF file as they are stored, by name; no configuration is needed.
  ///
  /// - Throws: `CheckpointError` or `JSONError`.
  package static func all(_ url: URL) throws -> [any StoredTensor] {
    let tensors: [any StoredTensor] =
      try GGUFFile.isOne(url) ? GGUFFile(url).tensors : Array(StoredTensors(url).byName.values)
    return tensors.sorted { Spelling($0.name) < Spelling($1.name) }
  }

  /// A tensor's name without what files of a whole model put before those of its body.
  package static func bareName(_ tensor: any StoredTensor) -> String {
    let prefix = Architectures.all.map { $0.bodyPrefix }.first(where: tensor.name.hasPrefix)
    return String(tensor.name.dropFirst(prefix?.count ?? 0))
  }

  private static func named(_ tensors: [any StoredTensor]) -> [Spelling: any StoredTensor] {
    Dictionary(tensors.map { (Spelling($0.name), $0) }) { first, _ in first }
  }

  /// What is there instead of weights.
  private static func missing(_ folder: URL) -> CheckpointError {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let others = names.filter { name in
      [".bin", ".pt", ".pth", ".gguf", ".safetensors", ".msgpack", ".h5"].contains {
        name.hasSuffix($0)
      }
    }
    guard let other = others.min() else {
      return .missingFile(Self.single, folder: folder.path)
    }
    return .otherWeights(other, folder: folder.path)
  }

  private static func shards(_ index: URL, in folder: URL) throws -> [Spelling: any StoredTensor] {
    let document = try JSON.parse(contentsOf: index, named: index.path, isLenient: true)
    guard case .object(let map)? = document["weight_map"] else {
      throw CheckpointError.unreadable(file: index.path, reason: "'weight_map' is missing")
    }
    let files = try map.map { name, file in
      guard case .string(let file) = file else {
        throw CheckpointError.unreadable(file: index.path, reason: "'\(name)' names no file")
      }
      // By bytes: a slash with an accent on it is another Character, and still a slash.
      guard !file.utf8.contains(UInt8(ascii: "/")), !file.utf8.contains(0) else {
        throw CheckpointError.unreadable(
          file: index.path, reason: "'\(file)' is no name of a file in the folder")
      }
      return Spelling(file)
    }
    return try Set(files).sorted().reduce(into: [:]) { tensors, file in
      for tensor in try Safetensors.open(folder.appending(path: file.text)) {
        if let other = tensors.updateValue(tensor, forKey: Spelling(tensor.name)) {
          throw CheckpointError.badTensor(
            tensor.name, file: tensor.path,
            reason: "is stored twice, and in \(other.path) too; remove one")
        }
      }
    }
  }

  /// The tensor of a name.
  subscript(name: String) -> (any StoredTensor)? { byName[Spelling(name)] }

  /// Names a body that was saved without its head as the whole model names it.
  mutating func addPrefix(_ prefix: String, for names: [String]) {
    for name in names where self[name] == nil {
      let bare = Spelling(name.dropFirst(prefix.count))
      guard name.hasPrefix(prefix), let tensor = byName.removeValue(forKey: bare) else { continue }
      byName[Spelling(name)] = tensor
    }
  }

  /// Buffers that some versions store and that models compute for themselves.
  private static let buffers = [
    ".rotary_emb.inv_freq", ".rotary_emb.cos_cached", ".rotary_emb.sin_cached",
  ]

  /// Checks that every tensor of a layout is there in its shape, and no other but known buffers.
  ///
  /// - Parameters:
  ///   - layout: What `config.json` asks for.
  ///   - ignored: Tensors that are looked at elsewhere.
  ///   - ownBuffers: How the names of the family's own buffers end.
  ///   - advice: What to do about a tensor that is missing, if anything is known.
  /// - Throws: `CheckpointError`, with the file.
  func check(
    against layout: ParameterLayout, besides ignored: Set<String>, buffers ownBuffers: [String],
    advice: (String) -> String?
  ) throws {
    for entry in layout.entries {
      guard let tensor = self[entry.name] else {
        throw CheckpointError.missingTensor(entry.name, file: path, advice: advice(entry.name))
      }
      guard tensor.shape == entry.shape else {
        throw CheckpointError.wrongShape(
          entry.name, file: tensor.path, expected: entry.shape, found: tensor.shape)
      }
    }
    let known = Set((layout.names + ignored).map { Spelling($0) })
    for (name, tensor) in byName.sorted(by: { $0.key < $1.key })
    where !known.contains(name) && !(Self.buffers + ownBuffers).contains(where: name.text.hasSuffix)
    {
      throw CheckpointError.unexpectedTensor(name.text, file: tensor.path)
    }
  }
}
