/// What a tensor of an adapter is, by its name.
struct AdapterTensorName {
  /// The parts of an adapted module.
  enum Part: String, Hashable {
    case a = "lora_A"
    case b = "lora_B"
    case bias = "lora_B.bias"
    case magnitude = "lora_magnitude_vector"
    case embeddingA = "lora_embedding_A"
    case embeddingB = "lora_embedding_B"
    case tokens = "token_adapter.trainable_tokens_delta"
  }

  /// The module, as the base calls it.
  let module: String
  /// Nil if the tensor is one of the module's own, whole.
  let part: Part?
  /// Whether it is stored as that of a module that is adapted.
  let isWrapped: Bool

  /// Reads a name.
  ///
  /// Before the module stands what PEFT wraps it in, or nothing; behind a part's name may stand the adapter's own.
  init(_ name: String) {
    let prefix = PEFTAdapter.prefix
    let bare = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    let words = bare.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
    let start = words.firstIndex { $0.hasPrefix("lora_") || $0 == "token_adapter" }
    guard let start, let part = Self.part(Array(words[start...])) else {
      (module, isWrapped) = Self.whole(words)
      part = nil
      return
    }
    module = words[..<start].joined(separator: ".")
    self.part = part
    isWrapped = true
  }

  /// What the words behind the module's name mean; `default` or another adapter's name may stand among them.
  private static func part(_ words: [String]) -> Part? {
    let isBias = words.last == "bias"
    let kept = words.last == "weight" || isBias ? Array(words.dropLast()) : words
    let length = kept.first == "token_adapter" ? 2 : 1
    guard kept.count == length || kept.count == length + 1 else { return nil }
    let name = kept.prefix(length).joined(separator: ".")
    return Part(rawValue: isBias ? "\(name).bias" : name)
  }

  /// The tensor's own name, without the wrappers of trained modules.
  private static func whole(_ words: [String]) -> (String, Bool) {
    var kept = words.filter { $0 != "base_layer" }
    let isWrapped = kept.count < words.count
    if let place = kept.firstIndex(of: "modules_to_save") {
      kept.removeSubrange(place..<min(place + 2, kept.count - 1))
    }
    return (kept.joined(separator: "."), isWrapped)
  }
}
