internal import Foundation
internal import JSON
internal import Tensors

/// What a GGUF file says, as a Hugging Face folder would say it.
struct GGUFModel {
  private let file: GGUFFile
  /// What llama.cpp calls it, which is what transformers does.
  let architecture: String

  /// - Throws: `CheckpointError`.
  init(_ url: URL) throws {
    file = try GGUFFile(url)
    guard let name = file.text("general.architecture") else {
      throw CheckpointError.unreadable(
        file: url.path, reason: "'general.architecture' is missing")
    }
    architecture = name
  }

  var path: String { file.path }

  /// `config.json`, from the keys of the architecture.
  ///
  /// - Throws: `CheckpointError` where rotary positions are scaled, which is not read from GGUF.
  func configuration() throws -> JSONValue {
    if let scaling = file.text("\(architecture).rope.scaling.type"), scaling != "none" {
      throw CheckpointError.badConfiguration(
        key: "\(architecture).rope.scaling.type", file: file.path,
        reason: "is '\(scaling)'; scaled rotary positions are not read from GGUF")
    }
    let keys = [
      ("hidden_size", "embedding_length"), ("intermediate_size", "feed_forward_length"),
      ("num_hidden_layers", "block_count"), ("num_attention_heads", "attention.head_count"),
      ("num_key_value_heads", "attention.head_count_kv"), ("head_dim", "attention.key_length"),
      ("max_position_embeddings", "context_length"), ("rope_theta", "rope.freq_base"),
      ("rms_norm_eps", "attention.layer_norm_rms_epsilon"),
    ]
    let settings = keys.compactMap { name, key -> (String, JSONValue)? in
      switch file["\(architecture).\(key)"] {
      case .integer(let integer)?: (name, .integer(integer))
      // The shortest text of the 32 bits that are stored, so that 1e-5 is not 0.0000099999997.
      case .number(let number)?: (name, .number(Double("\(Float(number))") ?? number))
      default: nil
      }
    }
    let vocabulary = file.texts("tokenizer.ggml.tokens")?.count ?? embeddingRows
    return .object(
      settings + [
        ("model_type", .string(architecture)), ("hidden_act", .string("silu")),
        ("vocab_size", .integer(Int64(vocabulary))),
        ("tie_word_embeddings", .bool(!file.tensors.contains { $0.name == "output.weight" })),
      ] + self.roles)
  }

  private var embeddingRows: Int {
    file.tensors.first { $0.name == "token_embd.weight" }?.shape.first ?? 0
  }

  private var roles: [(String, JSONValue)] {
    ["bos", "eos", "padding"].compactMap { role in
      file.integer("tokenizer.ggml.\(role)_token_id").map {
        (role == "padding" ? "pad_token_id" : "\(role)_token_id", .integer($0))
      }
    }
  }

  /// The tensors under the names of an architecture.
  ///
  /// - Parameters:
  ///   - names: How the architecture calls what a tensor does.
  ///   - heads: By how many heads the rows of queries and keys were reordered; nil if they were not.
  /// - Throws: `CheckpointError.unexpectedTensor`.
  func tensors(_ names: ParameterNames, heads: (query: Int, key: Int)?) throws -> [any StoredTensor]
  {
    try file.tensors.map { tensor in
      guard let (name, role) = place(tensor.name, names) else {
        throw CheckpointError.unexpectedTensor(tensor.name, file: file.path)
      }
      let count: Int? =
        switch role {
        case .query?: heads?.query
        case .key?: heads?.key
        default: nil
        }
      return GGUFNamedTensor(name: name, stored: tensor, heads: count)
    }
  }

  private static let roles: [String: TensorRole] = [
    "attn_norm": .attentionNorm, "attn_q": .query, "attn_k": .key, "attn_v": .value,
    "attn_output": .attentionOutput, "ffn_norm": .mlpNorm, "ffn_gate": .gate, "ffn_up": .up,
    "ffn_down": .down,
  ]

  private func place(_ name: String, _ names: ParameterNames) -> (String, TensorRole?)? {
    switch name {
    case "token_embd.weight": return (names.embedding, nil)
    case "output_norm.weight": return (names.finalNorm, nil)
    case "output.weight": return (names.unembedding, nil)
    default: break
    }
    let parts = name.split(separator: ".")
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]),
      names.blocks.indices.contains(layer), let role = Self.roles[String(parts[2])],
      parts[3] == "weight" || parts[3] == "bias",
      let own = names.tensor(role, isBias: parts[3] == "bias", layer: layer)
    else { return nil }
    return (own, role)
  }

  /// `tokenizer.json` and `tokenizer_config.json` as one would have them; nil if the file has no tokenizer.
  ///
  /// - Throws: `CheckpointError.badTokenizer`.
  func tokenizer() throws -> TokenizerFile? {
    try GGUFTokenizer(file).map {
      try TokenizerFile($0.document, roles: TokenRoles([$0.configuration]), path: file.path)
    }
  }

  /// The files of the tokenizer, to be written into a folder.
  func tokenizerFiles() throws -> TokenizerFiles? {
    try GGUFTokenizer(file).map {
      TokenizerFiles(document: $0.document, configuration: $0.configuration, roles: roles)
    }
  }
}

/// A tensor under another name, its rows in the order of the architecture.
private struct GGUFNamedTensor: StoredTensor {
  let name: String
  let stored: GGUFTensor
  /// Into how many heads rows are divided, each to be put in order; nil if they are.
  let heads: Int?

  var shape: [Int] { stored.shape }
  var path: String { stored.path }
  var type: String { stored.type }
  var byteCount: Int { stored.byteCount }

  /// Rows of heads change places all over the tensor, so it is read whole.
  func numbers(in range: Range<Int>) throws -> [Float] {
    guard heads != nil else { return try stored.numbers(in: range) }
    return Array(try read().scalars[range])
  }

  func read() throws -> Tensor {
    let tensor = try stored.read()
    guard let heads, shape[0] % (2 * heads) == 0 else { return tensor }
    return Self.ordered(tensor, heads: heads)
  }

  /// Undoes what llama.cpp's conversion does to queries and keys.
  ///
  /// It turns rotary pairs (i, i + n/2) of a head of n rows into neighbours (2i, 2i + 1), so row i of the first
  /// half is found at 2i, and row i of the second at 2i + 1.
  private static func ordered(_ tensor: Tensor, heads: Int) -> Tensor {
    let rows = tensor.shape[0], width = rows / heads, columns = tensor.count / rows
    var scalars: [Float] = []
    scalars.reserveCapacity(tensor.count)
    for row in 0..<rows {
      let (head, place) = (row / width, row % width)
      let source = head * width + 2 * (place % (width / 2)) + place / (width / 2)
      scalars += tensor.scalars[source * columns..<(source + 1) * columns]
    }
    return Tensor(shape: tensor.shape, scalars: scalars)
  }
}
