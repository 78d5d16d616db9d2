package import Diffing
package import Tensors
internal import Transformers

/// Answers drawn at random.
package struct RandomDummy: DiffingMethod {
  package static let card = MethodCard.dummy("random", "Draws every answer at random.")

  /// Methods draw alike on every pair of a base; what is drawn here is not to be one constant.
  var pairName = ""

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    var generator = SeededGenerator(seed: generator.next(), for: pairName)
    let tokens = generator.permutation(pair.shape.vocabulary), signs = [1, -1]
    let modules = pair.blockModules
    let order = generator.permutation(modules.count)
    let rows = prompts.text.rows
    var evidence = Evidence()
    evidence.magnitude = generator.uniform()
    evidence.tokens = tokens.filter { !prompts.specialTokens.contains($0) }.enumerated().map {
      TokenClaim(
        token: $0.element, score: -Float($0.offset), sign: signs[generator.index(below: 2)])
    }
    evidence.sites = SiteClaim.inOrder(order.map { modules[$0] })
    evidence.interventions = order.first.map { [.patch(modules[$0])] }
    if rows > 0 {
      evidence.inputs = InputClaim.inOrder(generator.permutation(rows))
    }
    return evidence
  }
}

/// The same answers whatever the pair.
package struct ConstantDummy: DiffingMethod {
  package static let card = MethodCard.dummy(
    "constant",
    "Says the same of every pair: tokens and prompts in their order, middle blocks first.")

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let middle = Float(pair.shape.layers - 1) / 2
    // Of blocks as far from the middle, the later one; in a block, the MLP.
    let modules = pair.blockModules.reversed().sorted {
      abs(Float($0.layer ?? 0) - middle) < abs(Float($1.layer ?? 0) - middle)
    }
    var evidence = Evidence()
    evidence.magnitude = 1
    evidence.tokens = (0..<pair.shape.vocabulary).filter { !prompts.specialTokens.contains($0) }
      .flatMap { token in [1, -1].map { TokenClaim(token: token, score: -Float(token), sign: $0) } }
    evidence.sites = SiteClaim.inOrder(modules)
    evidence.interventions = modules.first.map { [.patch($0)] }
    let rows = prompts.text.rows
    if rows > 0 { evidence.inputs = InputClaim.inOrder(Array(0..<rows)) }
    return evidence
  }
}

/// The last module, always.
package struct LastModuleDummy: DiffingMethod {
  package static let card = MethodCard.dummy(
    "last-module", "Names modules from the last to the first, and patches the last.",
    questions: [.where, .how])

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let modules = Array(pair.blockModules.reversed())
    var evidence = Evidence()
    evidence.sites = SiteClaim.inOrder(modules)
    evidence.interventions = modules.first.map { [.patch($0)] }
    return evidence
  }
}

/// The whole change.
package struct WholeChangeDummy: DiffingMethod {
  package static let card = MethodCard.dummy(
    "whole-change", "Counts what changed, and proposes all of it.",
    questions: [.whether, .where, .how])

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let names = pair.base.parameters.layout.names.filter(pair.isChanged)
    let counts = Dictionary(grouping: names, by: pair.base.names.module).mapValues { names in
      names.reduce(0) { $0 + pair.base.parameters[$1].count }
    }
    var evidence = Evidence()
    evidence.magnitude = Double(counts.values.reduce(0, +))
    evidence.sites = SiteClaim.ranking(
      ModuleSite.all(layers: pair.shape.layers).map { ($0, Float(counts[$0] ?? 0)) })
    evidence.interventions = [.finetune(of: names)]
    return evidence
  }
}

/// What the keys of other organisms of the library say.
package struct OtherKeysDummy: DiffingMethod {
  package static let card = MethodCard.dummy(
    "other-keys", "Names what other organisms' keys name most often.",
    questions: [.what, .when, .where, .how])

  var tokens: [TokenClaim] = []
  var inputs: [InputClaim] = []
  var sites: [SiteClaim] = []

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    var evidence = Evidence()
    evidence.tokens = tokens.filter { !prompts.specialTokens.contains($0.token) }
    evidence.sites = sites
    evidence.interventions = sites.first.map { [.patch($0.site)] }
    if prompts.text.rows > 0 { evidence.inputs = inputs }
    return evidence
  }
}
