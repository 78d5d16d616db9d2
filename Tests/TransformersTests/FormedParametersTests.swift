import Synchronization
import TestSupport
import Tensors
import Testing
import Transformers

/// Models whose weights are made when they are read.
@Suite("Formed weights")
struct FormedParametersTests {
  /// Copies a tensor, and notes that it was read.
  private final class Source: FormedTensor {
    let name: String
    let tensor: Tensor
    let log: Log?
    init(_ name: String, _ tensor: Tensor, _ log: Log? = nil) {
      self.name = name
      self.tensor = tensor
      self.log = log
    }
    func form(_ rows: Range<Int>, into window: Matrix) {
      log?.add(name)
      window.copy(
        Matrix(tensor.shape.count == 1 ? tensor.reshaped([1, tensor.count]) : tensor).rows(rows))
    }
  }

  /// The names of tensors that were read.
  private final class Log: Sendable {
    private let all = Mutex<[String]>([])
    var names: [String] { all.withLock { $0 } }
    func add(_ name: String) { all.withLock { $0.append(name) } }
  }

  private static func formed(_ model: DecoderModel, _ log: Log? = nil) -> DecoderModel {
    let held = model.parameters
    return model.with(
      Parameters(
        layout: held.layout,
        forming: Dictionary(
          uniqueKeysWithValues: held.layout.names.map { ($0, Source($0, held[$0], log)) })))
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

  @Test(
    "passes from several streams are those of one after the other, formed or not, each block formed once",
    arguments: models)
  func fromEach(model: DecoderModel) {
    let formed = Self.formed(model), batch = TokenBatch(TinyModels.rows([5, 9, 3, 4, 7]))
    let own = model.forward(batch, recording: Set(model.sites), logits: .none)
    let last = model.shape.layers - 1
    let starts = [
      ActivationSite.embedding, .residualMid(layer: 0), .residualPost(layer: 0),
      .residualPost(layer: last),
    ].map { Intervention.patch($0, with: own[$0].scaled(by: 1.5)) }
    let sites: Set<ActivationSite> = [.residualPost(layer: last), .finalNorm]
    let expected = starts.map {
      model.forward(batch, recording: sites, editing: [$0], logits: .all)
    }
    for one in [model, formed] {
      let passes = one.forward(batch, recording: sites, fromEach: starts)
      #expect(passes.map(\.recordings) == expected.map(\.recordings))
      #expect(passes.allSatisfy { $0.logits.count == 0 })
      #expect(one.forward(batch, recording: sites, fromEach: []).isEmpty)
    }
    let log = Log()
    _ = Self.formed(model, log).forward(batch, recording: sites, fromEach: starts)
    let read = Dictionary(grouping: log.names) { $0 }.mapValues(\.count)
    #expect(model.names.blockNames.allSatisfy { read[$0] == 1 })
  }

  @Test("passes of long texts are run a few at a time, and come in the order of their starts")
  func fromEachOfMany() {
    let model = Self.models[0], formed = Self.formed(model)
    let batch = TokenBatch(TinyModels.rows(Array(repeating: 7, count: 100)))
    let starts = [0.5, 1, 1.5, 2, 2.5].map {
      Intervention.patch(
        .residualPost(layer: 1), with: Tensor(repeating: $0, shape: [batch.count, 12]))
    }
    let passes = formed.forward(batch, recording: [.finalNorm], fromEach: starts)
    let expected = model.forward(batch, recording: [.finalNorm], fromEach: starts)
    #expect(passes.map(\.recordings) == expected.map(\.recordings))
  }

  @Test("what the rows of a large model begin with is computed once from formed weights too")
  func sharedPrefix() {
    let model = TinyModels.llama(layers: 3, vocabulary: 180_000), formed = Self.formed(model)
    let batch = TokenBatch(TinyModels.rows([1, 2, 5, 3, 4]).map { [3, 1, 4, 1, 5, 9, 2, 6] + $0 })
    let site = ActivationSite.residualMid(layer: 1)
    let stream = model.forward(batch, recording: [site], logits: .none)[site]
    let starts = [0.5, 1, 1.5].map { Intervention.patch(site, with: stream.scaled(by: $0)) }
    let passes = formed.forward(batch, recording: [.finalNorm], fromEach: starts)
    let expected = model.forward(batch, recording: [.finalNorm], fromEach: starts)
    #expect(passes.map(\.recordings) == expected.map(\.recordings))
  }

  @Test("nothing is computed behind what is recorded", arguments: models)
  func endsEarly(model: DecoderModel) {
    let batch = TokenBatch(TinyModels.rows([5, 3]))
    let whole = model.forward(batch, recording: Set(model.sites), logits: .all)
    for site in model.sites {
      let log = Log()
      let early = Self.formed(model, log).forward(batch, recording: [site], logits: .none)
      // Patterns that are recorded are computed another way.
      expectClose(early[site], whole[site], tolerance: 1e-5, "\(site)")
      let layers = Set(log.names.compactMap { model.names.module(of: $0).layer })
      let block = "\(site)".split(separator: ".").dropFirst().first.flatMap { Int($0) }
      let end = site == .finalNorm ? model.shape.layers : block.map { $0 + 1 } ?? 0
      #expect(layers == Set(0..<end), "\(site)")
    }
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
    let target = LowRankTests.lora.targets[0], rows = 2..<5
    expectClose(
      adapted.parameters.rows(rows, of: target).tensor,
      adapted.parameters[target].rows(at: Array(rows)), tolerance: 1e-6)
    let other = Self.formed(TinyModels.llama(seed: 2, layers: 3))
    #expect(other.parameters != formed.parameters)
    #expect(!adapted.parameters.isAdaptation(of: other.parameters))
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
      Dictionary(uniqueKeysWithValues: names.map { ($0, Source($0, model[$0].scaled(by: 3))) }))
    for name in model.layout.names {
      #expect(replaced[name] == model[name].scaled(by: names.contains(name) ? 3 : 1))
    }
    #expect(replaced.bytes(beside: model) == 0)
    let again = replaced.replacing([names[0]: Source(names[0], model[names[0]].scaled(by: 5))])
    #expect(again[names[0]] == model[names[0]].scaled(by: 5))
    #expect(again[names[1]] == replaced[names[1]])
  }

  /// Ones, but for a row.
  private final class Ones: FormedTensor {
    let row: Int?
    init(but row: Int?) { self.row = row }
    func form(_ rows: Range<Int>, into window: Matrix) {
      window.fill(1)
      guard let row, rows.contains(row) else { return }
      window.rows(row - rows.lowerBound..<row - rows.lowerBound + 1).fill(2)
    }
  }

  @Test("tensors that are read by groups of rows are the same only if all groups are")
  func groups() {
    let rows = (1 << 13) + 1, layout = ParameterLayout([("a", [rows, 1 << 10])])
    func ones(but row: Int?) -> Parameters {
      Parameters(layout: layout, forming: ["a": Ones(but: row)])
    }
    #expect(ones(but: nil).rowGroups(of: "a").count > 1)
    #expect(ones(but: nil).hasSame("a", as: ones(but: nil)))
    for row in [0, rows - 1] {
      #expect(!ones(but: row).hasSame("a", as: ones(but: nil)))
      #expect(!ones(but: row).hasSameNumbers("a", as: ones(but: nil)))
    }
  }
}
