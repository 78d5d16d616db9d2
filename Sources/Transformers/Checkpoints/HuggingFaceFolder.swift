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
  /// The tokens that stand for no text.
  public let markers: TokenMarkers
  /// How its chats are written, if its template is of a kind that is known.
  public let chat: ChatFormat?
  /// Whether there is a template, of whatever kind.
  package let hasChatTemplate: Bool
  /// How each tensor was stored: `F32`, `BF16`, `Q4_K`; empty for models that come from no file.
  package let types: [String: String]
  /// What of the folder could not be used, each in a sentence; the model is whole all the same.
  public let notices: [String]

  /// Puts the parts together.
  package init(
    model: any LanguageModel, tokenizer: (any Tokenizer)?, markers: TokenMarkers,
    chat: ChatFormat? = nil, hasChatTemplate: Bool = false, types: [String: String] = [:],
    notices: [String]
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.markers = markers
    self.chat = chat
    self.hasChatTemplate = hasChatTemplate
    self.types = types
    self.notices = notices
  }

  /// The same files with another way to write chats; nil for one that is not known.
  fileprivate func with(_ model: any LanguageModel, chat: ChatFormat?) -> Checkpoint {
    Checkpoint(
      model: model, tokenizer: tokenizer, markers: markers, chat: chat, hasChatTemplate: true,
      types: types, notices: notices)
  }

  /// The same files with another model.
  package func with(
    _ model: any LanguageModel, types: [String: String]? = nil, notices: [String]? = nil
  ) -> Checkpoint {
    Checkpoint(
      model: model, tokenizer: tokenizer, markers: markers, chat: chat,
      hasChatTemplate: hasChatTemplate, types: types ?? self.types,
      notices: notices ?? self.notices)
  }
}

/// Reads and writes model folders as transformers does.
public enum HuggingFaceFolder {
  /// Reads a model folder.
  ///
  /// - Parameter folder: Holds `config.json`, `model.safetensors` (or its shards) and maybe
  ///   `tokenizer.json`; or a GGUF file, which holds all of it.
  /// - Returns: The model and its tokenizer. A tokenizer that cannot be read is a notice: no model needs one.
  /// - Throws: `CheckpointError` or `JSONError`; every tensor must be there, once, in the right shape.
  public static func read(_ folder: URL) throws -> Checkpoint {
    try read(folder, holding: mostHeld)
  }

  /// The same; a model of more numbers than so many stays in its files.
  package static func read(_ folder: URL, holding mostHeld: Int) throws -> Checkpoint {
    let source = try ModelSource(folder)
    let (model, types) = try fill(source, folder, holding: mostHeld)
    return texts(
      of: Checkpoint(
        model: model, tokenizer: nil,
        markers: TokenMarkers(
          nil, source.configuration, vocabulary: model.shape.vocabulary), types: types,
        notices: []), source.configuration, source.tokenizer)
  }

  /// A checkpoint with the tokenizer and the chats of another folder, as far as that has any.
  package static func readTexts(beside folder: URL, of checkpoint: Checkpoint) throws -> Checkpoint
  {
    let file = folder.appending(path: "tokenizer.json")
    guard !RegularFile.isThere(file) else {
      return texts(of: checkpoint, .object([])) { try TokenizerFile(file) }
    }
    let roles = TokenRoles(beside: file)
    guard let template = roles.chat else { return checkpoint }
    return checkpoint.with(checkpoint.model, chat: ChatFormat(template))
  }

  /// A checkpoint with what a tokenizer's files say.
  ///
  /// One that cannot be read is a notice: no model needs one.
  private static func texts(
    of checkpoint: Checkpoint, _ configuration: JSONValue, _ open: () throws -> TokenizerFile?
  ) -> Checkpoint {
    let vocabulary = checkpoint.model.shape.vocabulary
    var notices = checkpoint.notices, file: TokenizerFile?, tokenizer: (any Tokenizer)?
    do {
      file = try open()
      tokenizer = try file.flatMap { try readTokenizer($0, vocabulary: vocabulary) }
    } catch {
      notices.append(
        "\(error) It is not used: tokens are shown as numbers, and text is read as ids.")
    }
    notices += file?.roles.faults ?? []
    let template = file?.roles.chat
    return Checkpoint(
      model: checkpoint.model, tokenizer: tokenizer,
      markers: TokenMarkers(file, configuration, vocabulary: vocabulary),
      chat: template.flatMap { ChatFormat($0) }, hasChatTemplate: template != nil,
      types: checkpoint.types, notices: notices)
  }

  /// A model with the weights of its source, and how each of its tensors was stored.
  private static func fill(
    _ source: ModelSource, _ folder: URL, holding mostHeld: Int = Self.mostHeld
  ) throws -> (
    model: DecoderModel, types: [String: String]
  ) {
    let stored = StoredLayout(source.parts), copies = source.parts.copies
    let layout = stored.layout
    var tensors = try source.tensors()
    tensors.addPrefix(source.architecture.bodyPrefix, for: layout.names)
    try tensors.check(
      against: layout, besides: Set(copies.keys),
      buffers: source.architecture.buffers, advice: source.advice)
    try check(copies, in: tensors)
    let read = stored.forms.compactMap { form in tensors[form.name].map { (form, $0) } }
    let types = Dictionary(
      read.flatMap { form, tensor in form.parts.map { ($0, tensor.type) } }
    ) { first, _ in first }
    guard layout.count <= mostHeld else {
      return (try filed(read, source.parts), types)
    }
    try checkMemory(layout, folder)
    var model = DecoderModel(source.parts)
    // One tensor at a time: beside the model, only one is in memory.
    for (form, tensor) in read {
      for part in form.split(try tensor.read()) { model.parameters[part.name] = part.tensor }
    }
    return (model, types)
  }

  /// Numbers (2 GiB) of a model that is in memory as a whole; of a larger one blocks are read as they are used.
  private static let mostHeld = 1 << 29

  /// A model whose tensors stay in their files; each is read through once, so that what is damaged is told now.
  private static func filed(_ read: [(StoredForm, any StoredTensor)], _ parts: DecoderParts)
    throws -> DecoderModel
  {
    var formed: [String: any FormedTensor] = [:]
    for (form, tensor) in read {
      for start in tensor.pieceStarts { _ = try tensor.piece(at: start) }
      for name in form.parts { formed[name] = FiledTensor(tensor, form, name) }
    }
    return DecoderModel(parts, Parameters(layout: parts.layout, forming: formed))
  }

  /// A model that cannot be held is told before it is read.
  private static func checkMemory(_ layout: ParameterLayout, _ folder: URL) throws {
    let (bytes, available) = (layout.count * MemoryLayout<Float>.stride, Memory.available)
    guard bytes < available else {
      throw CheckpointError.unreadable(
        file: folder.path,
        reason:
          "the model needs \(bytes >> 20) MiB in 32 bits, and only \(available >> 20) MiB may be used"
      )
    }
  }

  /// Checks that what is stored beside the tensor that stands for it is the same.
  private static func check(_ copies: [String: String], in tensors: StoredTensors) throws {
    for (copy, original) in copies.sorted(by: { $0.key < $1.key }) {
      guard let stored = tensors[copy], let used = tensors[original] else { continue }
      guard stored.shape == used.shape, try stored.read() == used.read() else {
        throw CheckpointError.badTensor(
          copy, file: stored.path,
          reason: "differs from '\(original)', though config.json ties the two. Set "
            + "'tie_word_embeddings' to false if it is to be used, or remove it")
      }
    }
  }

  /// Reads a folder's tokenizer alone.
  ///
  /// - Throws: `CheckpointError` or `JSONError`.
  public static func readTokenizer(_ folder: URL) throws -> any Tokenizer {
    try readTokenizer(try ModelSource.tokenizer(folder), of: folder)
  }

  private static func readTokenizer(_ file: TokenizerFile?, of folder: URL) throws
    -> any Tokenizer
  {
    guard let file else {
      throw CheckpointError.missingFile("tokenizer.json", folder: folder.path)
    }
    guard let tokenizer = try Tokenizers.read(file) else {
      throw CheckpointError.badTokenizer(file: file.path, reason: "it is of no kind that is known")
    }
    return tokenizer
  }

  /// Reads all of a folder but the weights: its sizes, its tokenizer, and how its chats are written.
  ///
  /// - Throws: `CheckpointError` or `JSONError`.
  package static func readSpeech(_ folder: URL) throws -> (
    shape: ModelShape, tokenizer: any Tokenizer, chat: ChatFormat?, markers: TokenMarkers
  ) {
    let source = try ModelSource(folder), file = try source.tokenizer(), shape = source.parts.shape
    return (
      shape, try readTokenizer(file, of: folder), file?.roles.chat.flatMap { ChatFormat($0) },
      TokenMarkers(file, source.configuration, vocabulary: shape.vocabulary)
    )
  }

  private static func readTokenizer(_ file: TokenizerFile, vocabulary: Int) throws
    -> (any Tokenizer)?
  {
    guard let tokenizer = try Tokenizers.read(file) else { return nil }
    guard tokenizer.count <= vocabulary else {
      throw CheckpointError.badTokenizer(
        file: file.path, reason: "it has \(tokenizer.count) tokens, the model \(vocabulary)")
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

  /// Writes a GGUF file's model as a folder of 32-bit floats; what Assay did not write there is not replaced.
  ///
  /// - Throws: `CheckpointError` or `FileError.unwritable`; then nothing is left behind.
  public static func convert(gguf file: URL, to folder: URL) throws {
    try AtomicFolder.check(folder)
    let source = try GGUFModel(file), tokenizer = try source.tokenizerFiles()
    let model = try fill(ModelSource(source), file).model
    try AtomicFolder.writeOwn(to: folder) { try fill($0, model, tokenizer) }
  }

  /// Writes the files of a model into a folder that exists.
  public static func fill(
    _ folder: URL, _ model: any LanguageModel, _ tokenizer: WordTokenizer?
  ) throws {
    try fill(folder, model, tokenizer?.files)
  }

  private static func fill(
    _ folder: URL, _ model: any LanguageModel, _ tokenizer: TokenizerFiles?
  ) throws {
    guard let model = model as? DecoderModel, let architecture = Architectures.of(model) else {
      preconditionFailure("\(type(of: model)) has no Hugging Face form")
    }
    func write(_ document: JSONValue, _ name: String) throws {
      let text = JSON.text(of: document, layout: .pretty) + "\n"
      try AtomicFile.write(Data(text.utf8), to: folder.appending(path: name))
    }
    let none = ["bos_token_id", "eos_token_id", "pad_token_id"].map { ($0, JSONValue.null) }
    let settings = architecture.settings(of: model.parts) + (tokenizer?.roles ?? none)
    try write(.object(settings), "config.json")
    let tensors = StoredLayout(model.parts).forms.map {
      (name: $0.name, shape: $0.shape, bytes: $0.bytes(model.parameters))
    }
    try AtomicFile.write(
      Safetensors.data(tensors), to: folder.appending(path: "model.safetensors"))
    guard let tokenizer else { return }
    try write(tokenizer.document, "tokenizer.json")
    try write(tokenizer.configuration, "tokenizer_config.json")
  }
}
