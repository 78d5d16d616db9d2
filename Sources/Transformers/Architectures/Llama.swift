internal import Foundation
internal import Tensors

/// A Llama-style decoder (Touvron et al., 2023).
///
/// RMSNorm before each branch, rotary positions (half-split), grouped-query causal attention, SwiGLU;
/// optional biases, tied or untied embeddings.
package struct Llama: LanguageModel {
  package static let architecture = "llama"

  package let configuration: LlamaConfiguration
  package var parameters: Parameters

  /// Creates a model with zero weights.
  package init(_ configuration: LlamaConfiguration) {
    self.configuration = configuration
    parameters = Parameters(layout: configuration.layout)
  }

  /// Creates a model with weights drawn at random.
  ///
  /// Matrices are normal with deviation 0.02, those that write into the residual stream divided by
  /// √(2 · layers) (Radford et al., 2019); gains are 1, biases 0.
  package init(_ configuration: LlamaConfiguration, seed: UInt64, deviation: Double = 0.02) {
    self.init(configuration)
    var generator = SeededGenerator(seed: seed, for: "initial weights")
    for entry in parameters.layout.entries {
      parameters[entry.name] = Self.initial(
        entry, deviation: deviation, layers: configuration.layers, &generator)
    }
  }

  private static func initial(
    _ entry: ParameterLayout.Entry, deviation: Double, layers: Int,
    _ generator: inout SeededGenerator
  ) -> Tensor {
    if entry.name.hasSuffix("bias") { return Tensor(shape: entry.shape) }
    if entry.shape.count == 1 { return Tensor(repeating: 1, shape: entry.shape) }
    let isWriter = entry.name.contains("o_proj") || entry.name.contains("down_proj")
    let scale = isWriter ? deviation / Double(2 * layers).squareRoot() : deviation
    return Tensor(
      shape: entry.shape,
      scalars: (0..<entry.count).map { _ in Float(generator.normal() * scale) })
  }

  package var shape: ModelShape { configuration.shape }
  package var sites: [ActivationSite] { ActivationSite.all(layers: configuration.layers) }

  package var names: ParameterNames { configuration.names }

  /// The same function with bias tensors added, all zero, so that a bias can be trained.
  ///
  /// A residual bias before block `l + 1` is the bias of block `l`'s down projection.
  package func addingMLPBiases() -> any LanguageModel {
    var wider = configuration
    wider.hasMLPBias = true
    var model = Llama(wider)
    for name in parameters.layout.names { model.parameters[name] = parameters[name] }
    return model
  }

  /// The weights of one block as windows; also the shape of their gradients.
  struct Block {
    let attentionNorm, mlpNorm: Matrix
    let joint, output, gateUp, down: LinearMap
    let jointBias, outputBias, gateUpBias, downBias: Matrix?

    init(_ parameters: Parameters, layer: Int, _ configuration: LlamaConfiguration) {
      func name(_ tensor: String) -> String { LlamaConfiguration.name(layer, tensor) }
      func linear(_ parts: [String]) -> LinearMap {
        parameters.linear(parts.map { name("\($0).weight") })
      }
      func bias(_ parts: [String]) -> Matrix {
        parameters.joint(parts.map { name("\($0).bias") })
      }
      let attention = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]
      let mlp = ["mlp.gate_proj", "mlp.up_proj"]
      attentionNorm = parameters.matrix(name("input_layernorm.weight"))
      joint = linear(attention)
      output = linear(["self_attn.o_proj"])
      mlpNorm = parameters.matrix(name("post_attention_layernorm.weight"))
      gateUp = linear(mlp)
      down = linear(["mlp.down_proj"])
      let hasBias = configuration.hasAttentionBias
      jointBias = hasBias ? bias(attention) : nil
      outputBias = hasBias ? parameters.matrix(name("self_attn.o_proj.bias")) : nil
      gateUpBias = configuration.hasMLPBias ? bias(mlp) : nil
      downBias = configuration.hasMLPBias ? parameters.matrix(name("mlp.down_proj.bias")) : nil
    }
  }

  /// All weights as windows; also the shape of their gradients.
  struct Weights {
    let embedding, finalNorm, head: Matrix
    let blocks: [Block]

    init(_ parameters: Parameters, _ configuration: LlamaConfiguration) {
      embedding = parameters.matrix(LlamaConfiguration.embedding)
      finalNorm = parameters.matrix(LlamaConfiguration.finalNorm)
      head =
        configuration.isTied ? embedding : parameters.matrix(LlamaConfiguration.head)
      blocks = (0..<configuration.layers).map { Block(parameters, layer: $0, configuration) }
    }
  }

  var weights: Weights { Weights(parameters, configuration) }
}
