import Tensors
import Transformers

/// A model with a fault that published code had: what a method computes from it is what the faulty method would.
struct BrokenModel: LanguageModel {
  let architecture = "broken"

  enum Fault: Sendable {
    /// Recordings of the stream after a block are those before it.
    case readsBlockBefore
    /// Edits of activations do nothing.
    case ignoresEdits
    /// What is patched into it is ignored, and the other model runs instead.
    case runs(any LanguageModel)
    /// Only the first edit of a pass is carried out.
    case keepsFirstEdit
  }

  var model: any LanguageModel
  let fault: Fault

  var parameters: Parameters {
    get { model.parameters }
    set { model.parameters = newValue }
  }
  var sites: [ActivationSite] { model.sites }
  var shape: ModelShape { model.shape }
  var names: ParameterNames { model.names }

  func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>,
    editing interventions: [Intervention], logits: LogitSelection
  ) -> ForwardPass {
    switch fault {
    case .readsBlockBefore:
      let pass = model.forward(
        batch, recording: Set(sites.map(before)), editing: interventions, logits: logits)
      return ForwardPass(
        batch: batch,
        recordings: Dictionary(uniqueKeysWithValues: sites.map { ($0, pass[before($0)]) }),
        logits: pass.logits)
    case .ignoresEdits:
      return model.forward(batch, recording: sites, editing: [], logits: logits)
    case .runs(let other):
      return (interventions.isEmpty ? model : other)
        .forward(batch, recording: sites, editing: [], logits: logits)
    case .keepsFirstEdit:
      return model.forward(
        batch, recording: sites, editing: Array(interventions.prefix(1)), logits: logits)
    }
  }

  private func before(_ site: ActivationSite) -> ActivationSite {
    if case .residualPost(let layer) = site { .residualPre(layer: layer) } else { site }
  }

  /// Those of the model without the fault: no method that they are used for is tested with one.
  func siteGradients(
    of figure: LogitFigure, on batch: TokenBatch, at sites: Set<ActivationSite>,
    recording recorded: Set<ActivationSite>, editing interventions: [Intervention],
    logits: LogitSelection
  ) -> SiteGradients {
    model.siteGradients(
      of: figure, on: batch, at: sites, recording: recorded, editing: interventions,
      logits: logits)
  }

  func makeGradientTape() -> any GradientTape { model.makeGradientTape() }

  func makeDecoder(rows: Int, capacity: Int) -> any CachedDecoder {
    model.makeDecoder(rows: rows, capacity: capacity)
  }

  func reparameterised(using generator: inout SeededGenerator) -> any LanguageModel {
    model.reparameterised(using: &generator)
  }

  func addingMLPBiases() -> any LanguageModel { model.addingMLPBiases() }
}
