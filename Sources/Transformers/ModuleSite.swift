internal import Tensors

/// A part of a model that holds weights: what the question *where* is answered with.
public enum ModuleSite: Hashable, Sendable, CustomStringConvertible {
  case embedding
  case attention(layer: Int)
  case mlp(layer: Int)
  case finalNorm
  case unembedding

  /// Every module of a model, in the order of the computation.
  public static func all(layers: Int) -> [ModuleSite] {
    [.embedding] + (0..<layers).flatMap { [.attention(layer: $0), .mlp(layer: $0)] }
      + [.finalNorm, .unembedding]
  }

  /// What it is, in words.
  public var description: String {
    switch self {
    case .embedding: "embed"
    case .attention(let layer): "blocks.\(layer).attn"
    case .mlp(let layer): "blocks.\(layer).mlp"
    case .finalNorm: "ln_final"
    case .unembedding: "unembed"
    }
  }

  /// The block it lies in, if it lies in one.
  public var layer: Int? {
    switch self {
    case .attention(let layer), .mlp(let layer): layer
    case .embedding, .finalNorm, .unembedding: nil
    }
  }

  /// Where what it adds to the residual stream can be recorded and edited; nil for the unembedding.
  public var output: ActivationSite? {
    switch self {
    case .embedding: .embedding
    case .attention(let layer): .attentionOutput(layer: layer)
    case .mlp(let layer): .mlpOutput(layer: layer)
    case .finalNorm: .finalNorm
    case .unembedding: nil
    }
  }

  /// The residual stream that it reads in a model of `layers` blocks; nil for the embedding, which reads tokens.
  package func input(layers: Int) -> ActivationSite? {
    switch self {
    case .embedding: nil
    case .attention(let layer): .residualPre(layer: layer)
    case .mlp(let layer): .residualMid(layer: layer)
    case .finalNorm, .unembedding: layers > 0 ? .residualPost(layer: layers - 1) : nil
    }
  }

  /// Reads a module's name, as `description` prints it.
  public init?(_ name: String) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let layer = parts.count == 3 && parts[0] == "blocks" ? Int(parts[1]) : nil
    switch (name, layer, parts.last) {
    case ("embed", _, _): self = .embedding
    case ("ln_final", _, _): self = .finalNorm
    case ("unembed", _, _): self = .unembedding
    case (_, let layer?, "attn"): self = .attention(layer: layer)
    case (_, let layer?, "mlp"): self = .mlp(layer: layer)
    default: return nil
    }
  }
}

extension ModuleSite: Codable {
  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let site = ModuleSite(name) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(name)' is no module; 'blocks.0.mlp' is one")
    }
    self = site
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
