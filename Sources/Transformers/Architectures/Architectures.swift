package import JSON

/// An architecture that Hugging Face folders can hold.
package protocol CheckpointedModel: LanguageModel {
  /// Creates a model with zero weights from `config.json`.
  init(huggingFace document: JSONValue, file: String) throws
  var huggingFaceConfiguration: JSONValue { get }
  /// The layout that `config.json` asks for, without allocating it.
  static func layout(huggingFace document: JSONValue, file: String) throws -> ParameterLayout
  /// The names of its tensors, by what they do.
  static func names(huggingFace document: JSONValue, file: String) throws -> ParameterNames
  /// By how many heads GGUF files have the rows of queries and keys reordered; nil if they have not.
  static func reorderedHeads(huggingFace document: JSONValue, file: String) throws
    -> (query: Int, key: Int)?
  /// What names of the body's tensors start with; files of a body alone leave it out.
  static var bodyPrefix: String { get }
  /// Tensors that files may hold beside those of a layout, and the one that each is a copy of.
  static func copies(in layout: ParameterLayout) -> [String: String]
  /// The modules that PEFT adapts if it is not told which.
  static var adaptedByDefault: [String] { get }
  /// What to do about a tensor that is missing, if anything is known.
  static func advice(missing name: String, _ document: JSONValue) -> String?
}

/// The sizes of a model that is trained from nothing.
package struct DecoderSize: Sendable, Equatable {
  package let vocabulary, width, layers, heads, mlpWidth, context: Int

  package init(
    vocabulary: Int, width: Int, layers: Int, heads: Int, mlpWidth: Int, context: Int
  ) {
    self.vocabulary = vocabulary
    self.width = width
    self.layers = layers
    self.heads = heads
    self.mlpWidth = mlpWidth
    self.context = context
  }
}

/// Every architecture that folders may hold; a new one is its own file and one entry here.
package enum Architectures {
  package static let all: [any CheckpointedModel.Type] = [Llama.self]

  static func named(_ name: String, file: String) throws -> any CheckpointedModel.Type {
    guard let architecture = all.first(where: { $0.architecture == name }) else {
      throw CheckpointError.unsupportedArchitecture(
        name, file: file, supported: all.map { $0.architecture })
    }
    return architecture
  }

  /// A model with random weights, of the architecture that bases are trained in.
  package static func standard(_ size: DecoderSize, seed: UInt64) -> any LanguageModel {
    Llama(
      LlamaConfiguration(
        vocabulary: size.vocabulary, width: size.width, layers: size.layers, heads: size.heads,
        mlpWidth: size.mlpWidth, context: size.context),
      seed: seed)
  }
}
