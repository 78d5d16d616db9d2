package import Tensors
package import Transformers

/// Which modules of the finetuned model, put into the base, bring its outputs about.
///
/// Two experiments on the prompts where the models disagree most. *Patching* runs the finetuned
/// model's output of one module inside the base; *swapping* runs the module's finetuned weights
/// there, so that changes upstream of it do not count. Recovery is the projection of the change of
/// the logits on the change that the finetune made: a random edit of equal size scores near 0.
package struct ActivationPatching: DiffingMethod {
  package static let card = MethodCard(
    id: "activation-patching",
    summary:
      "Modules of the finetuned model run inside the base: how much of the change each brings.",
    source: "Prakash et al., 2024 (arXiv 2402.14811, CMAP)",
    questions: [.where, .how], access: [.pool])

  /// Prompts that are compared, those with the largest divergence.
  package var prompts = 32

  package init() {}

  package func diff(
    _ pair: ModelPair, on pool: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let experiment = PatchingExperiment(pair, text: divergent(pair, pool))
    guard experiment.size > 0 else { return Evidence() }
    let modules = (0..<pair.shape.layers).flatMap {
      [.attention(layer: $0), .mlp(layer: $0)] as [ProposedIntervention.PatchedModule]
    }
    let patched = modules.map { experiment.patchRecovery($0) }
    let swapped = modules.map { experiment.swapRecovery($0.module) }
    var evidence = Evidence()
    evidence.sites = SiteClaim.ranking(zip(modules.map(\.module), swapped).map { ($0, $1) })
    let best = patched.indices.max { (patched[$0], -$0) < (patched[$1], -$1) }
    evidence.interventions = best.map { [.patch(module: modules[$0])] }
    evidence.exhibits = [
      Exhibit(
        title: "Share of the change that each module brings",
        columns: ["module", "output patched", "weights swapped"],
        rows: modules.indices.map {
          [modules[$0].module.description, "\(patched[$0])", "\(swapped[$0])"]
        })
    ]
    return evidence
  }

  private func divergent(_ pair: ModelPair, _ pool: PromptPool) -> TokenBatch {
    let last = pool.text.lastIndices
    let base = pair.logProbabilities(.base, on: pool.text, at: last)
    let finetuned = pair.logProbabilities(.finetuned, on: pool.text, at: last)
    let scores = last.indices.map { divergence(finetuned.row($0), base.row($0)) }
    let top = scores.indices.sorted { (scores[$0], -$0) > (scores[$1], -$1) }.prefix(prompts)
    return TokenBatch(top.sorted().map { Array(pool.text.row($0)) })
  }
}

extension ProposedIntervention.PatchedModule {
  /// The module whose output is patched.
  package var module: ModuleSite {
    switch self {
    case .attention(let layer): .attention(layer: layer)
    case .mlp(let layer): .mlp(layer: layer)
    }
  }
}

/// The base's answers to some prompts, and how far an edit moves them towards the finetuned model's.
private struct PatchingExperiment {
  private let pair: ModelPair
  private let text: TokenBatch
  private let base: Tensor
  private let change: Tensor
  /// The squared size of the change to be recovered.
  let size: Float

  init(_ pair: ModelPair, text: TokenBatch) {
    self.pair = pair
    self.text = text
    let last = text.lastIndices
    base = pair.logProbabilities(.base, on: text, at: last)
    change = pair.logProbabilities(.finetuned, on: text, at: last) - base
    size = dot(change.scalars, change.scalars)
  }

  func patchRecovery(_ module: ProposedIntervention.PatchedModule) -> Float {
    let recording = pair.pass(.finetuned, on: text)[module.site]
    let pass = pair.base.forward(
      text, recording: [], editing: [.patch(module.site, with: recording)], logits: .last)
    return recovery(pass.logits)
  }

  func swapRecovery(_ module: ModuleSite) -> Float {
    var swapped = pair.base
    let names = swapped.names
    for name in swapped.parameters.layout.names where names.module(of: name) == module {
      swapped.parameters[name] = pair.finetuned.parameters[name]
    }
    return recovery(swapped.forward(text, logits: .last).logits)
  }

  private func recovery(_ logits: Tensor) -> Float {
    dot((logits.logProbabilities - base).scalars, change.scalars) / size
  }
}
