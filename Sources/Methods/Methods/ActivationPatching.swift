package import Diffing
package import Tensors
internal import Transformers

/// Which parts of the finetuned model, put into the base, bring its outputs about, and which undo them
/// the other way round.
///
/// On the prompts where the models disagree most, *patching* runs one model's output of a module or head
/// inside the other; *swapping* runs a module's finetuned weights in the base, so that changes upstream of
/// it do not count. Recovery is the projection of the change of the log-probabilities on the change that
/// the finetune made: a random edit of equal size scores near 0.
package struct ActivationPatching: DiffingMethod {
  package static let card = MethodCard(
    id: "activation-patching",
    summary:
      "Parts of one model run inside the other: how much of the change each brings or undoes.",
    source: "Prakash et al., 2024 (arXiv 2402.14811, CMAP)",
    questions: [.where, .how], access: [.pool])

  /// Prompts that are compared, those with the largest divergence.
  package var promptCount = 32
  /// The least share of the change that a proposed patch brings.
  package var threshold: Float = 0.05
  /// Prompts on which heads, positions and combinations are looked at, for people.
  package var shownPrompts = 8

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let chosen = prompts.answeredRows(promptCount, of: pair)
    let vector = TaskVector(pair)
    let experiment = PatchingExperiment(
      pair, vector, text: prompts.with(rows: chosen).text)
    guard experiment.change.isSeen else { return Evidence() }
    let modules = pair.blockModules
    let patched = experiment.patched(modules, into: .base)
    let changed = Set(vector.names.map { pair.base.names.module(of: $0) })
    let all = ModuleSite.all(layers: pair.shape.layers)
    let exchanged = all.filter(changed.contains)
    let shares = Dictionary(
      uniqueKeysWithValues: zip(exchanged, experiment.swapped(exchanged)))
    let swapped = modules.map { shares[$0] ?? 0 }
    var evidence = Evidence()
    evidence.sites = SiteClaim.ranking(all.map { ($0, shares[$0] ?? 0) })
    let best = patched.indices.max { (patched[$0], -$0) < (patched[$1], -$1) }
    // What sits above the blocks no patch brings, and the best of nothing is no finding.
    evidence.interventions = best.flatMap { index in
      patched[index] > threshold ? [.patch(modules[index])] : nil
    }
    evidence.exhibits = pair.exhibits(
      [moduleMap(modules, patched, experiment.patched(modules, into: .finetuned), swapped)]
        + details(
          pair, vector, prompts.with(rows: Array(chosen.prefix(shownPrompts))).text,
          ranked: modules.indices.sorted { swapped[$0] > swapped[$1] }.map { modules[$0] }))
    return evidence
  }

  private func moduleMap(
    _ modules: [ModuleSite], _ patched: [Float], _ back: [Float], _ swapped: [Float]
  ) -> Exhibit {
    Exhibit(
      "Share of the change that each module brings",
      .heatMap(
        rows: modules.map(\.description),
        columns: ["patched into the base", "patched back", "weights swapped"],
        values: modules.indices.map { [patched[$0], back[$0], swapped[$0]] }))
  }

  /// Heads, positions and combinations, on a few prompts.
  private func details(
    _ pair: ModelPair, _ vector: TaskVector, _ text: TokenBatch, ranked: [ModuleSite]
  ) -> [Exhibit] {
    let experiment = PatchingExperiment(pair, vector, text: text)
    let scope = Exhibit.reading(shownPrompts, of: promptCount, "prompts")
    return [
      experiment.headMap, experiment.blockMap(pair.blockModules), experiment.completeness(ranked),
    ].map { Exhibit($0.title + scope, $0.content) }
  }
}

/// Answers to some prompts, and how far an edit moves one model's towards the other's.
private struct PatchingExperiment {
  private let pair: ModelPair
  private let text: TokenBatch
  private let vector: TaskVector
  private let streams: [ModelPair.Side: RecordedStreams]
  let change: AnswerChange

  init(_ pair: ModelPair, _ vector: TaskVector, text: TokenBatch) {
    self.pair = pair
    self.vector = vector
    self.text = text
    func streams(_ model: any LanguageModel) -> RecordedStreams {
      RecordedStreams(model, on: text, withOutputs: true, logits: .last)
    }
    let (base, finetuned) = (streams(pair.base), streams(pair.finetuned))
    self.streams = [.base: base, .finetuned: finetuned]
    change = AnswerChange(
      base: base.logits.logProbabilities, finetuned: finetuned.logits.logProbabilities)
  }

  /// How much of the change appears in the base, or goes from the finetuned model, if a module is given the other
  /// model's output, for each of several.
  func patched(_ modules: [ModuleSite], into side: ModelPair.Side) -> [Float] {
    let other: ModelPair.Side = side == .base ? .finetuned : .base
    guard let own = streams[side], let others = streams[other] else { return [] }
    let starts = modules.map { own.start(behind: $0, with: others) }
    var recovered = own.figures(
      startingAt: starts.compactMap { $0 }, at: text.lastIndices, change.recovery)[...]
    return starts.map { start in
      guard start != nil, let share = recovered.popFirst() else { return 0 }
      return side == .base ? share : 1 - share
    }
  }

  /// How much of the change appears in the base if a module has the finetuned weights, for each of several.
  func swapped(_ modules: [ModuleSite]) -> [Float] {
    let names = pair.base.names
    let changed = modules.map { module in
      let part = vector.restricted { names.module(of: $0) == module }
      return (module: module, model: part.applied(to: pair.base))
    }
    return streams[.base]?.figures(changed, at: text.lastIndices, change.recovery) ?? []
  }

  /// How much of the change an edit brings to the base, or takes from the finetuned model.
  private func recovery(_ edit: Intervention, in side: ModelPair.Side) -> Float {
    let pass = pair.model(side).forward(text, recording: [], editing: [edit], logits: .last)
    let recovered = change.recovery(pass.logits.logProbabilities)
    return side == .base ? recovered : 1 - recovered
  }

  /// How much of the change appears in the base if some modules together have the finetuned weights.
  func swapped(together modules: Set<ModuleSite>) -> Float {
    let names = pair.base.names
    let part = vector.restricted { modules.contains(names.module(of: $0)) }
    let first = ModuleSite.all(layers: pair.shape.layers).first(where: modules.contains)
    let start = first.flatMap { streams[.base]?.start(at: $0) } ?? []
    let pass = part.applied(to: pair.base).forward(
      text, recording: [], editing: start, logits: .last)
    return change.recovery(pass.logits.logProbabilities)
  }

  /// How much of the change comes with the finetuned model's activations at a site of the base.
  private func patched(
    _ site: ActivationSite, _ pass: ForwardPass, head: Int? = nil,
    positions: Intervention.Positions = .all
  ) -> Float {
    recovery(.patch(site, with: pass[site], head: head, positions: positions), in: .base)
  }

  private func recording(_ site: (Int) -> ActivationSite) -> ForwardPass {
    pair.finetuned.forward(text, recording: Set((0..<pair.shape.layers).map(site)))
  }

  /// What each head brings, before the output projection, which stays the base's.
  var headMap: Exhibit {
    let pass = recording { .headOutput(layer: $0) }
    let values = (0..<pair.shape.layers).map { layer in
      (0..<pair.shape.heads).map { head in
        patched(.headOutput(layer: layer), pass, head: head)
      }
    }
    return Exhibit(
      "Share of the change that each head brings, before the output projection",
      .heatMap(
        rows: values.indices.map { "block \($0)" },
        columns: (0..<pair.shape.heads).map { "head \($0)" }, values: values))
  }

  /// What the stream after each block brings by class of positions, and each block's swapped weights.
  func blockMap(_ modules: [ModuleSite]) -> Exhibit {
    let last = Set(text.lastIndices)
    let earlier = Set(text.tokens.indices).subtracting(last)
    let pass = recording { .residualPost(layer: $0) }
    let values = (0..<pair.shape.layers).map { layer -> [Float] in
      let site = ActivationSite.residualPost(layer: layer)
      return [
        patched(site, pass), patched(site, pass, positions: .last),
        patched(site, pass, positions: .indices(earlier)),
        swapped(together: Set(modules.filter { $0.layer == layer })),
      ]
    }
    return Exhibit(
      "Share of the change that each block brings",
      .heatMap(
        rows: values.indices.map { "block \($0)" },
        columns: ["stream, all positions", "last", "earlier", "weights swapped"], values: values))
  }

  /// What the best modules bring together, one more at each point.
  func completeness(_ ranked: [ModuleSite]) -> Exhibit {
    let values = ranked.indices.map { swapped(together: Set(ranked[...$0])) }
    return Exhibit(
      "Share of the change that the first modules bring together",
      .curves(
        axis: "modules", points: ranked.map(\.description),
        lines: [.init("weights swapped", values)]))
  }
}
