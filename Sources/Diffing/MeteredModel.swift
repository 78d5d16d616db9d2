internal import Synchronization
internal import Tensors
internal import Transformers

/// What a method asked of the two models.
public struct Work: Codable, Equatable, Sendable {
  /// Tokens read or written by the models: forward passes, edited or not, and generation.
  public var tokensForward = 0
  /// Tokens that gradients were computed of.
  public var tokensBackward = 0
  /// How many of `tokensForward` were recorded before, for another method.
  public var tokensShared = 0
  /// What those recordings took when they were made.
  public var sharedSeconds = 0.0
  /// What was done for people to look at, which is not charged.
  public var unchargedSeconds = 0.0

  /// What the answers took, as if no other method had run before.
  ///
  /// - Parameter elapsed: Seconds from start to end.
  public func seconds(elapsed: Double) -> Double { elapsed + sharedSeconds - unchargedSeconds }

  /// Nothing yet.
  public init() {}
}

/// Counts work; a pair's models share one.
final class WorkMeter: Sendable {
  private let state = Mutex(Work())

  var work: Work { state.withLock { $0 } }

  func reset() { state.withLock { $0 = Work() } }

  func count(forward tokens: Int) { state.withLock { $0.tokensForward += tokens } }

  func count(backward tokens: Int) { state.withLock { $0.tokensBackward += tokens } }

  /// Runs a body that nobody is charged for: its seconds are counted apart, its tokens not at all.
  func pausing<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = work, clock = ContinuousClock(), start = clock.now
    defer {
      state.withLock { work in
        work = before
        work.unchargedSeconds += (clock.now - start) / .seconds(1)
      }
    }
    return try body()
  }

  /// Counts a recording that was made before.
  func count(shared tokens: Int, seconds: Double) {
    state.withLock { work in
      work.tokensForward += tokens
      work.tokensShared += tokens
      work.sharedSeconds += seconds
    }
  }
}

/// A model that counts the tokens that go through it; a hidden prefix stays hidden from who asks it.
struct MeteredModel: LanguageModel {
  var architecture: String { model.architecture }

  private(set) var model: any LanguageModel
  private let meter: WorkMeter

  init(_ model: any LanguageModel, _ meter: WorkMeter) {
    self.model = model
    self.meter = meter
  }

  var parameters: Parameters {
    get { model.parameters }
    set { model.parameters = newValue }
  }
  var sites: [ActivationSite] { model.sites }
  var shape: ModelShape { model.shape }
  var names: ParameterNames { model.names }

  func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>,
    editing interventions: [Intervention],
    logits: LogitSelection
  ) -> ForwardPass {
    meter.count(forward: batch.count)
    return model.forward(batch, recording: sites, editing: interventions, logits: logits)
  }

  func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>, fromEach starts: [Intervention]
  ) -> [ForwardPass] {
    meter.count(forward: batch.count * starts.count)
    return model.forward(batch, recording: sites, fromEach: starts)
  }

  func siteGradients(
    of figure: LogitFigure, on batch: TokenBatch, at sites: Set<ActivationSite>,
    recording recorded: Set<ActivationSite>, editing interventions: [Intervention],
    logits selection: LogitSelection
  ) -> SiteGradients {
    meter.count(forward: batch.count)
    meter.count(backward: batch.count)
    return model.siteGradients(
      of: figure, on: batch, at: sites, recording: recorded, editing: interventions,
      logits: selection)
  }

  func makeGradientTape() -> any GradientTape { MeteredTape(model.makeGradientTape(), meter) }

  func makeDecoder(rows: Int, capacity: Int) -> any CachedDecoder {
    MeteredDecoder(model.makeDecoder(rows: rows, capacity: capacity), meter)
  }

  func reparameterised(using generator: inout SeededGenerator) -> any LanguageModel {
    MeteredModel(model.reparameterised(using: &generator), meter)
  }

  func addingMLPBiases() -> any LanguageModel { MeteredModel(model.addingMLPBiases(), meter) }
}

private final class MeteredTape: GradientTape {
  private let tape: any GradientTape
  private let meter: WorkMeter

  init(_ tape: any GradientTape, _ meter: WorkMeter) {
    self.tape = tape
    self.meter = meter
  }

  func lossAndGradient(
    of model: any LanguageModel, on batch: TrainingBatch, scope: GradientScope
  ) -> (loss: Double, gradient: Parameters) {
    meter.count(forward: batch.tokens.count)
    meter.count(backward: batch.tokens.count)
    let inner = (model as? MeteredModel)?.model ?? model
    return tape.lossAndGradient(of: inner, on: batch, scope: scope)
  }
}

private final class MeteredDecoder: CachedDecoder {
  private let decoder: any CachedDecoder
  private let meter: WorkMeter

  init(_ decoder: any CachedDecoder, _ meter: WorkMeter) {
    self.decoder = decoder
    self.meter = meter
  }

  func append(_ tokens: [[Int]]) -> Tensor {
    meter.count(forward: tokens.reduce(0) { $0 + $1.count })
    return decoder.append(tokens)
  }
}
