package import JSON

/// A family of models: what its `config.json` says of a decoder's parts.
package protocol Architecture: Sendable {
  /// The family's `model_type`.
  static var name: String { get }
  /// Whether GGUF files have the rows of queries and keys reordered.
  static var hasReorderedHeads: Bool { get }
  /// The parts that a configuration asks for.
  ///
  /// - Throws: `CheckpointError.badConfiguration`.
  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts
  /// The members of a `config.json` from which transformers makes the same.
  static func settings(of parts: DecoderParts) -> [(String, JSONValue)]
  /// What names of the body's tensors start with; files of a body alone leave it out.
  static var bodyPrefix: String { get }
  /// How the names of buffers end that some files hold and models compute for themselves.
  static var buffers: [String] { get }
  /// The modules that PEFT adapts if it is not told which.
  static var adaptedByDefault: [String] { get }
}

extension Architecture {
  package static var bodyPrefix: String { "model." }
  package static var buffers: [String] { [] }
  package static var adaptedByDefault: [String] { ["q_proj", "v_proj"] }
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
  package static let all: [any Architecture.Type] = [
    GPT2.self, GPTNeoX.self, Gemma2.self, Gemma3.self, Llama.self, Mistral.self, Olmo2.self,
    Qwen2.self, Qwen3.self,
  ]

  /// What transformers calls the head once it is loaded, whatever a family's files call it.
  static let loadedHead = "lm_head.weight"

  /// The family of a `model_type`.
  ///
  /// - Throws: `CheckpointError.unsupportedArchitecture`.
  static func named(_ name: String, file: String) throws -> any Architecture.Type {
    guard let architecture = all.first(where: { $0.name == name }) else {
      throw CheckpointError.unsupportedArchitecture(
        name, file: file, supported: all.map { $0.name })
    }
    return architecture
  }

  /// The family that a model is of; nil for models that no file can hold.
  static func of(_ model: any LanguageModel) -> (any Architecture.Type)? {
    all.first { $0.name == model.architecture }
  }

  /// The parts of the architecture that bases are trained in, of some size.
  package static func standardParts(vocabulary: Int) -> DecoderParts {
    DecoderParts(architecture: Llama.name, tensorNames: .common, vocabulary: vocabulary)
  }

  /// A model with random weights, of the architecture that bases are trained in.
  package static func standard(_ size: DecoderSize, seed: UInt64) -> any LanguageModel {
    var parts = standardParts(vocabulary: size.vocabulary)
    (parts.width, parts.layers, parts.heads) = (size.width, size.layers, size.heads)
    (parts.keyHeads, parts.headWidth) = (size.heads, size.width / size.heads)
    (parts.mlpWidth, parts.context) = (size.mlpWidth, size.context)
    return DecoderModel(parts, seed: seed)
  }
}
