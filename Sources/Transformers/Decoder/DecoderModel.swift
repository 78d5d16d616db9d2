internal import Foundation
internal import Tensors

/// A decoder-only transformer, built from the parts that its architecture lists.
///
/// A stream to which each block adds what its attention and its MLP make of it, each behind a norm.
package struct DecoderModel: LanguageModel {
  package var architecture: String { parts.architecture }

  package let parts: DecoderParts
  package var parameters: Parameters

  /// Creates a model with some weights.
  init(_ parts: DecoderParts, _ parameters: Parameters) {
    self.parts = parts
    self.parameters = parameters
  }

  /// Creates a model with zero weights.
  package init(_ parts: DecoderParts) {
    self.parts = parts
    parameters = Parameters(layout: parts.layout)
  }

  /// Creates a model with weights drawn at random.
  ///
  /// Matrices are normal with deviation 0.02, those that write into the residual stream divided by
  /// √(2 · layers) (Radford et al., 2019); gains are 1, biases 0.
  package init(_ parts: DecoderParts, seed: UInt64, deviation: Double = 0.02) {
    self.init(parts)
    var generator = SeededGenerator(seed: seed, for: "initial weights")
    let names = parts.names
    for entry in parameters.layout.entries {
      parameters[entry.name] = Self.initial(
        entry, names.blockTensor(entry.name), deviation: deviation, parts, &generator)
    }
  }

  private static func initial(
    _ entry: ParameterLayout.Entry, _ tensor: BlockTensor?, deviation: Double,
    _ parts: DecoderParts,
    _ generator: inout SeededGenerator
  ) -> Tensor {
    if tensor?.isBias == true || entry.name == parts.names.finalNormBias {
      return Tensor(shape: entry.shape)
    }
    if entry.shape.count == 1 {
      return Tensor(repeating: 1 - parts.norms.gainOffset, shape: entry.shape)
    }
    let scale =
      tensor?.role.isWriter == true ? deviation / Double(2 * parts.layers).squareRoot() : deviation
    return Tensor(
      shape: entry.shape,
      scalars: (0..<entry.count).map { _ in Float(generator.normal() * scale) })
  }

  package var shape: ModelShape { parts.shape }
  package var sites: [ActivationSite] { ActivationSite.all(layers: parts.layers) }

  package var names: ParameterNames { parts.names }

  /// The same function with bias tensors added, all zero, so that a bias can be trained.
  ///
  /// A residual bias before block `l + 1` is the bias of block `l`'s down projection.
  package func addingMLPBiases() -> any LanguageModel {
    var wider = parts
    wider.biases.formUnion(wider.mlpRoles)
    var model = DecoderModel(wider)
    for name in parameters.layout.names { model.parameters[name] = parameters[name] }
    return model
  }

  /// The weights of one block as windows; also the shape of their gradients.
  struct Block {
    let attentionNorm, mlpNorm, attentionPostNorm, mlpPostNorm, queryNorm, keyNorm: NormWeights?
    let joint, output, gateUp, down: LinearMap
    let jointBias, outputBias, gateUpBias, downBias: Matrix?

    init(_ parameters: Parameters, layer: Int, _ parts: DecoderParts) {
      func names(_ roles: [TensorRole], isBias: Bool = false) -> [String] {
        roles.map { parts.tensorNames.name($0, isBias: isBias, layer: layer) }
      }
      func norm(_ role: TensorRole) -> NormWeights? {
        guard parts.norms.roles.contains(role) else { return nil }
        return parameters.norm(
          names([role])[0], bias: parts.norms.kind == .layer ? names([role], isBias: true)[0] : nil)
      }
      func linear(_ roles: [TensorRole]) -> LinearMap { parameters.linear(names(roles)) }
      func bias(_ roles: [TensorRole]) -> Matrix? {
        parts.hasBias(roles) ? parameters.joint(names(roles, isBias: true)) : nil
      }
      let reading = DecoderParts.readingRoles
      (attentionNorm, mlpNorm) = (norm(.attentionNorm), norm(.mlpNorm))
      (attentionPostNorm, mlpPostNorm) = (norm(.attentionPostNorm), norm(.mlpPostNorm))
      (queryNorm, keyNorm) = (norm(.queryNorm), norm(.keyNorm))
      (joint, jointBias) = (linear(reading), bias(reading))
      (output, outputBias) = (linear([.attentionOutput]), bias([.attentionOutput]))
      (gateUp, gateUpBias) = (linear(parts.mlpReadingRoles), bias(parts.mlpReadingRoles))
      (down, downBias) = (linear([.down]), bias([.down]))
    }
  }

  /// All weights as windows; also the shape of their gradients.
  struct Weights {
    let positions: Matrix?
    /// The embedding and the unembedding; nil if weights are formed when they are read.
    private let heldEnds: (embedding: Matrix, head: Matrix)?
    let finalNorm: NormWeights
    /// The blocks' windows; nil if a block is formed when it is read.
    private let heldBlocks: [Block]?
    private let parameters: Parameters
    private let parts: DecoderParts

    init(_ parameters: Parameters, _ parts: DecoderParts) {
      let names = parts.names
      positions = names.positions.map(parameters.matrix)
      finalNorm = parameters.norm(names.finalNorm, bias: names.finalNormBias)
      self.parameters = parameters
      self.parts = parts
      guard parameters.areHeld else {
        (heldEnds, heldBlocks) = (nil, nil)
        return
      }
      heldEnds = (parameters.matrix(names.embedding), parameters.matrix(names.unembedding))
      heldBlocks = (0..<parts.layers).map { Block(parameters, layer: $0, parts) }
    }

    var embedding: Matrix { heldEnds?.embedding ?? parameters.matrix(parts.names.embedding) }
    var head: Matrix { heldEnds?.head ?? parameters.matrix(parts.names.unembedding) }

    /// A token's row of the embedding; no other row is formed for it.
    func embedding(of token: Int) -> Matrix {
      let row = token..<token + 1
      return heldEnds?.embedding.rows(row)
        ?? parameters.rows(row, of: parts.tensorNames.embedding)
    }

    /// Whether blocks are in memory; if not, a block is formed each time that it is asked for.
    var areHeld: Bool { heldBlocks != nil }

    /// The windows of a block.
    func block(_ layer: Int) -> Block {
      heldBlocks?[layer] ?? Block(parameters, layer: layer, parts)
    }

    /// Reads logits from normed streams, shaped `[rows, width]`.
    func readLogits(_ normed: Matrix, into logits: Matrix) {
      multiply(normed, head, into: logits, transposingB: true)
      if let cap = parts.logitCap { softCap(logits, at: cap) }
    }
  }

  var weights: Weights { Weights(parameters, parts) }
}
