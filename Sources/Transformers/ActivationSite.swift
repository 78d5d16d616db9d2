/// A place in a transformer that can be recorded and edited; prints as TransformerLens's hook name.
public enum ActivationSite: Hashable, Sendable {
  case embedding
  case residualPre(layer: Int)
  /// The stream as the queries of each head read it, shaped `[tokens, heads · width]`; and the keys, and the values.
  case queryStream(layer: Int)
  case keyStream(layer: Int)
  case valueStream(layer: Int)
  /// What queries, keys and values read; of heads whose streams are edited apart there is none.
  case attentionNorm(layer: Int)
  /// Before the rotary embedding, shaped `[tokens, heads · headWidth]`.
  case query(layer: Int)
  case key(layer: Int)
  case value(layer: Int)
  case rotatedQuery(layer: Int)
  case rotatedKey(layer: Int)
  /// Attention probabilities, shaped `[tokens, heads · longestRow]`.
  case pattern(layer: Int)
  /// What each head writes, before the output projection, shaped `[tokens, heads · headWidth]`.
  case headOutput(layer: Int)
  case attentionOutput(layer: Int)
  /// The stream with what attention added; of branches side by side no MLP reads it.
  case residualMid(layer: Int)
  /// The stream as the MLP reads it.
  case mlpStream(layer: Int)
  case mlpNorm(layer: Int)
  /// What the neurons read: the gate and the up projection side by side, shaped `[tokens, 2 · mlpWidth]`, or the
  /// latter alone where nothing gates.
  case mlpInput(layer: Int)
  case mlpActivation(layer: Int)
  case mlpOutput(layer: Int)
  case residualPost(layer: Int)
  case finalNorm

  /// Every site of a model with `layers` blocks, in the order of the computation.
  public static func all(layers: Int) -> [ActivationSite] {
    let blocks = (0..<layers).flatMap { layer -> [ActivationSite] in
      [
        .residualPre(layer: layer), .queryStream(layer: layer), .keyStream(layer: layer),
        .valueStream(layer: layer), .attentionNorm(layer: layer), .query(layer: layer),
        .key(layer: layer), .value(layer: layer), .rotatedQuery(layer: layer),
        .rotatedKey(layer: layer), .pattern(layer: layer), .headOutput(layer: layer),
        .attentionOutput(layer: layer), .residualMid(layer: layer), .mlpStream(layer: layer),
        .mlpNorm(layer: layer), .mlpInput(layer: layer), .mlpActivation(layer: layer),
        .mlpOutput(layer: layer), .residualPost(layer: layer),
      ]
    }
    return [.embedding] + blocks + [.finalNorm]
  }
}

extension ActivationSite {
  /// The index of the residual stream that this site is: two branches a block, so block l reads stream 2l.
  var stream: Int? {
    switch self {
    case .embedding: 0
    case .residualPre(let layer): 2 * layer
    case .residualMid(let layer): 2 * layer + 1
    case .residualPost(let layer): 2 * layer + 2
    default: nil
    }
  }
}

extension ActivationSite {
  /// How many blocks of so many are run until this is recorded.
  func blocksRun(of layers: Int) -> Int {
    switch self {
    case .embedding: 0
    case .finalNorm: layers
    case .residualPre(let layer), .queryStream(let layer), .keyStream(let layer),
      .valueStream(let layer), .attentionNorm(let layer), .query(let layer), .key(let layer),
      .value(let layer), .rotatedQuery(let layer), .rotatedKey(let layer), .pattern(let layer),
      .headOutput(let layer), .attentionOutput(let layer), .residualMid(let layer),
      .mlpStream(let layer), .mlpNorm(let layer), .mlpInput(let layer), .mlpActivation(let layer),
      .mlpOutput(let layer), .residualPost(let layer):
      layer + 1
    }
  }
}

extension ActivationSite: CustomStringConvertible {
  /// What it is, in words.
  public var description: String {
    switch self {
    case .embedding: "hook_embed"
    case .residualPre(let layer): "blocks.\(layer).hook_resid_pre"
    case .queryStream(let layer): "blocks.\(layer).hook_q_input"
    case .keyStream(let layer): "blocks.\(layer).hook_k_input"
    case .valueStream(let layer): "blocks.\(layer).hook_v_input"
    case .attentionNorm(let layer): "blocks.\(layer).ln1.hook_normalized"
    case .query(let layer): "blocks.\(layer).attn.hook_q"
    case .key(let layer): "blocks.\(layer).attn.hook_k"
    case .value(let layer): "blocks.\(layer).attn.hook_v"
    case .rotatedQuery(let layer): "blocks.\(layer).attn.hook_rot_q"
    case .rotatedKey(let layer): "blocks.\(layer).attn.hook_rot_k"
    case .pattern(let layer): "blocks.\(layer).attn.hook_pattern"
    case .headOutput(let layer): "blocks.\(layer).attn.hook_z"
    case .attentionOutput(let layer): "blocks.\(layer).hook_attn_out"
    case .residualMid(let layer): "blocks.\(layer).hook_resid_mid"
    case .mlpStream(let layer): "blocks.\(layer).hook_mlp_in"
    case .mlpNorm(let layer): "blocks.\(layer).ln2.hook_normalized"
    case .mlpInput(let layer): "blocks.\(layer).mlp.hook_pre"
    case .mlpActivation(let layer): "blocks.\(layer).mlp.hook_post"
    case .mlpOutput(let layer): "blocks.\(layer).hook_mlp_out"
    case .residualPost(let layer): "blocks.\(layer).hook_resid_post"
    case .finalNorm: "ln_final.hook_normalized"
    }
  }
}
