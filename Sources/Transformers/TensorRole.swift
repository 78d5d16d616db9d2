internal import Tensors

/// What a tensor of a block does, whatever an architecture calls it.
public enum TensorRole: String, Hashable, CaseIterable, Sendable {
  case attentionNorm = "attention norm"
  case query, key, value
  /// Gains of norms of queries and keys, before they are rotated.
  case queryNorm = "query norm"
  case keyNorm = "key norm"
  /// Writes what the heads found into the residual stream.
  case attentionOutput = "attention output"
  /// The gain of a norm of what attention adds to the stream.
  case attentionPostNorm = "attention post-norm"
  case mlpNorm = "MLP norm"
  case gate, up
  /// Writes what the MLP found into the residual stream.
  case down
  /// The gain of a norm of what the MLP adds to the stream.
  case mlpPostNorm = "MLP post-norm"

  /// Whether the tensor belongs to the attention, its norm included.
  public var isAttention: Bool {
    switch self {
    case .attentionNorm, .query, .key, .value, .queryNorm, .keyNorm, .attentionOutput,
      .attentionPostNorm:
      true
    case .mlpNorm, .gate, .up, .down, .mlpPostNorm: false
    }
  }

  /// Whether it is a matrix: all but the gains of norms.
  public var isMatrix: Bool {
    switch self {
    case .query, .key, .value, .attentionOutput, .gate, .up, .down: true
    case .attentionNorm, .queryNorm, .keyNorm, .attentionPostNorm, .mlpNorm, .mlpPostNorm: false
    }
  }

  /// Whether what it computes is added to the residual stream.
  public var isWriter: Bool { self == .attentionOutput || self == .down }
}

/// A tensor of a block with its role.
public struct BlockTensor: Hashable, Sendable {
  /// What the tensor does.
  public let role: TensorRole
  /// Whether it is what is added behind the role's matrix, or behind its norm.
  public let isBias: Bool
  /// Its name in the checkpoint.
  public let name: String

  /// Gives a name a role.
  public init(_ role: TensorRole, isBias: Bool = false, name: String) {
    self.role = role
    self.isBias = isBias
    self.name = name
  }

  /// Role and kind, for people.
  public var title: String { role.rawValue + (isBias ? " bias" : "") }
}

/// The names under which a model keeps its tensors, by what they do.
public struct ParameterNames: Sendable {
  /// The token embedding, a row a token.
  public let embedding: String
  /// What is added to it, a row a place; nil if places are not learned.
  public let positions: String?
  /// The gain of the norm behind the last block.
  public let finalNorm: String
  /// Its bias, if it has one.
  public let finalNormBias: String?
  /// What logits are read with, a row a token; the embedding if they are tied.
  public let unembedding: String
  /// Every tensor of each block, in the order of the layout.
  public let blocks: [[BlockTensor]]
  private let places: [String: (layer: Int, tensor: BlockTensor)]

  /// Lists the tensors of a model.
  public init(
    embedding: String, positions: String? = nil, finalNorm: String, finalNormBias: String? = nil,
    unembedding: String, blocks: [[BlockTensor]]
  ) {
    self.embedding = embedding
    self.positions = positions
    self.finalNorm = finalNorm
    self.finalNormBias = finalNormBias
    self.unembedding = unembedding
    self.blocks = blocks
    places = Dictionary(
      uniqueKeysWithValues: blocks.enumerated().flatMap { layer, block in
        block.map { ($0.name, (layer, $0)) }
      })
  }

  /// The names of every tensor of every block.
  public var blockNames: [String] { blocks.flatMap { $0.map(\.name) } }

  /// The role of a block's tensor; nil for one outside the blocks.
  public func blockTensor(_ name: String) -> BlockTensor? { places[name]?.tensor }

  /// The tensor of a role in a block, if the architecture has it there.
  public func tensor(_ role: TensorRole, isBias: Bool = false, layer: Int) -> String? {
    blocks[layer].first { $0.role == role && $0.isBias == isBias }?.name
  }

  /// The matrix that a bias goes with.
  public func matrix(of bias: BlockTensor) -> String? {
    places[bias.name].flatMap { tensor(bias.role, layer: $0.layer) }
  }

  /// The matrices of every block that write into the residual stream, shaped `[width, input]`.
  public var writers: Set<String> {
    Set(blocks.joined().filter { $0.role.isWriter && !$0.isBias }.map(\.name))
  }

  /// The block and module that a tensor belongs to.
  public func module(of name: String) -> ModuleSite {
    if name == embedding || name == positions { return .embedding }
    if name == unembedding { return .unembedding }
    guard let (layer, tensor) = places[name] else { return .finalNorm }
    return tensor.role.isAttention ? .attention(layer: layer) : .mlp(layer: layer)
  }
}
