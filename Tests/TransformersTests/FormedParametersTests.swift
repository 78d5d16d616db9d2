import TestSupport
import Tensors
import Testing
import Transformers

/// Models whose weights are made when they are read.
@Suite("Formed weights")
struct FormedParametersTests {
  /// Copies a tensor, and counts how often.
  private final class Source: FormedTensor, @unchecked Sendable {
    let tensor: Tensor
    init(_ tensor: Tensor) { self.tensor = tensor }
    func form(_ rows: Range<Int>, into window: Matrix) {
      window.copy(
        Matrix(tensor.shape.count == 1 ? tensor.reshaped([1, tensor.count]) : tensor).rows(rows))
    }
  }

  private static func formed(_ model: DecoderModel) -> DecoderModel {
    let held = model.parameters
    return model.with(
      Parameters(
        layout: held.layout,
        forming: Dictionary(
          uniqueKeysWithValues: held.layout.names.map { ($0, Source(held[$0])) })))
  }

  static let models = [
    TinyModels.llama(layers: 3), TinyModels.llama(isTied: true, biases: true),
    TinyModels.varied { $0.isParallel = true },
    TinyModels.varied { $0.norms.areAfter = true },
  ]

  @Test(
    "a forward pass is the same to the bit, recorded, edited and started late", arguments: models)
  func forward(model: DecoderModel) {
    let formed = Self.formed(model), batch = TokenBatch(TinyModels.rows([5, 9, 3, 4, 7]))
    #expect(model.parameters.areHeld && !formed.parameters.areHeld)
    let sites = Set(model.sites)
    let own = model.forward(batch, recording: sites, logits: .all)
    let other = formed.forward(batch, recording: sites, logits: .all)
    #expect(own.logits == other.logits)
    #expect(own.recordings == other.recordings)
    for site in [ActivationSite.residualMid(layer: 1), .residualPost(layer: 1), .embedding] {
      let edit = Intervention.patch(site, with: own[site].scaled(by: 1.5))
      func edited(_ model: DecoderModel) -> Tensor {
        model.forward(batch, recording: [], editing: [edit], logits: .last).logits
      }
      #expect(edited(model) == edited(formed))
    }
    #expect(formed.forward(TokenBatch([]), logits: .all).logits.count == 0)
  }

  @Test("they are read, compared, generated from, differentiated and adapted as those in memory")
  func reading() {
    let model = Self.models[0], formed = Self.formed(model)
    #expect(formed.parameters == model.parameters)
    #expect(formed.parameters.bytes() == 0)
    #expect(formed.parameters.holdingAll.bytes() == model.parameters.bytes())
    for name in model.parameters.layout.names {
      #expect(formed.parameters[name] == model.parameters[name])
      #expect(formed.parameters.bytes(name) == model.parameters.bytes(name))
    }
    var left = TokenSampler(temperature: 1, seed: 1), right = left
    let prompts = TinyModels.rows([3, 2])
    #expect(
      model.continuations(of: prompts, count: 6, using: &left)
        == formed.continuations(of: prompts, count: 6, using: &right))
    let batch = TrainingBatch(TinyModels.rows([6, 4]))
    #expect(
      model.lossAndGradient(on: batch).gradient == formed.lossAndGradient(on: batch).gradient)
    let adapted = formed.with(LowRankTests.lora.adapted(formed.parameters))
    #expect(adapted.parameters.isAdaptation(of: formed.parameters))
    #expect(!adapted.parameters.isAdaptation(of: model.parameters))
  }

  @Test("writing a tensor holds its piece, and the others stay formed")
  func writing() {
    let model = Self.models[0], formed = Self.formed(model).parameters
    let name = "model.layers.1.mlp.down_proj.weight"
    var written = formed
    written[name] = written[name].scaled(by: 2)
    #expect(written[name] == model.parameters[name].scaled(by: 2))
    #expect(formed[name] == model.parameters[name])
    #expect(!written.areHeld && written.bytes() > 0 && written.bytes() < model.parameters.bytes())
    #expect(!written.hasSame(name, as: formed))
    #expect(written.hasSame("model.norm.weight", as: formed))
  }

  @Test("some tensors of weights in memory are replaced by formed ones, and the others kept")
  func replacing() {
    let model = Self.models[0].parameters, names = Array(model.layout.names[3...4])
    let replaced = model.replacing(
      Dictionary(uniqueKeysWithValues: names.map { ($0, Source(model[$0].scaled(by: 3))) }))
    for name in model.layout.names {
      #expect(replaced[name] == model[name].scaled(by: names.contains(name) ? 3 : 1))
    }
    #expect(replaced.bytes(beside: model) == 0)
  }
}
