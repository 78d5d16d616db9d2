internal import Foundation
internal import Tensors

/// A decoder-only transformer, built from the parts that its architecture lists.
///
/// RMSNorm, rotary positions (half-split), grouped-query causal attention, SwiGLU.
package struct DecoderModel: LanguageModel {
  package var architecture: String { parts.architecture }

  package let parts: DecoderParts
  package var parameters: Parameters

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
        entry, names.blockTensor(entry.name), deviation: deviation, layers: parts.layers,
        &generator)
    }
  }

  private static func initial(
    _ entry: ParameterLayout.Entry, _ tensor: BlockTensor?, deviation: Double, layers: Int,
    _ generator: inout SeededGenerator
  ) -> Tensor {
    if tensor?.isBias == true { return Tensor(shape: entry.shape) }
    if entry.shape.count == 1 { return Tensor(repeating: 1, shape: entry.shape) }
    let scale =
      tensor?.role.isWriter == true ? deviation / Double(2 * layers).squareRoot() : deviation
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
    wider.biases.formUnion(DecoderParts.mlpRoles)
    var model = DecoderModel(wider)
    for name in parameters.layout.names { model.parameters[name] = parameters[name] }
    return model
  }

  /// The weights of one block as windows; also the shape of their gradients.
  struct Block {
    let attentionNorm, mlpNorm, attentionPostNorm, mlpPostNorm, queryNorm, keyNorm: Matrix?
    let joint, output, gateUp, down: LinearMap
    let jointBias, outputBias, gateUpBias, downBias: Matrix?

    init(_ parameters: Parameters, layer: Int, _ parts: DecoderParts) {
      func names(_ roles: [TensorRole], isBias: Bool = false) -> [String] {
        roles.map { parts.tensorNames.name($0, isBias: isBias, layer: layer) }
      }
      func norm(_ role: TensorRole) -> Matrix? {
        parts.norms.roles.contains(role) ? parameters.matrix(names([role])[0]) : nil
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
      (gateUp, gateUpBias) = (linear([.gate, .up]), bias([.gate, .up]))
      (down, downBias) = (linear([.down]), bias([.down]))
    }
  }

  /// All weights as windows; also the shape of their gradients.
  struct Weights {
    let embedding, finalNorm, head: Matrix
    let blocks: [Block]

    init(_ parameters: Parameters, _ parts: DecoderParts) {
      embedding = parameters.matrix(parts.tensorNames.embedding)
      finalNorm = parameters.matrix(parts.tensorNames.finalNorm)
      head =
        parts.isTied ? embedding : parameters.matrix(parts.tensorNames.head)
      blocks = (0..<parts.layers).map { Block(parameters, layer: $0, parts) }
    }
  }

  var weights: Weights { Weights(parameters, parts) }
}
