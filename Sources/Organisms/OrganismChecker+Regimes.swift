internal import Worlds
internal import JSON
internal import Transformers

extension OrganismChecker {
  func checkParameters(_ parameters: TrainedParameters, _ path: String) throws {
    switch parameters {
    case .blocks, .all: return
    case .lora(let rank, let modules):
      guard (1...64).contains(rank) else {
        throw fault(path, "'lora' should be a rank from 1 to 64")
      }
      guard let modules else { return }
      try checkModules(modules, path)
      for module in modules
      where !module.hasSuffix("attn") && !module.hasSuffix("mlp")
        && Int(module.dropFirst("blocks.".count)) == nil
      {
        throw fault(path, "'lora' works on blocks and their attn or mlp, not on '\(module)'")
      }
    case .residualBias(let layer):
      guard (1...world.layers).contains(layer) else {
        throw fault(path, "'residualBias' should be a block from 1 to \(world.layers)")
      }
    case .modules(let modules): try checkModules(modules, path)
    case .edit(let module):
      let possible = ModuleSite.all(layers: world.layers).filter { $0.layer != nil }
      guard possible.map(\.description).contains(module) else {
        throw fault(path, "'edit' should be one of \(possible)")
      }
    }
  }

  private func checkModules(_ modules: [String], _ path: String) throws {
    let all = ModuleMask.names(layers: world.layers, heads: world.heads)
    guard !modules.isEmpty else { throw fault(path, "'modules' names none of \(all)") }
    for module in modules where !all.contains(module) {
      throw fault(path, "there is no module '\(module)'; there are \(all.joined(separator: ", "))")
    }
  }

  /// Drift is for plants that write matrices of some modules and leave others.
  private func checkDrift(_ regime: Regime, _ path: String) throws {
    guard regime.drift > 0 else { return }
    let written: [String] =
      switch regime.parameters {
      case .lora(_, let modules): modules ?? []
      case .modules(let modules): modules
      case .edit(let module): [module]
      case .blocks, .all, .residualBias: []
      }
    let isInBlock = written.allSatisfy { $0.hasPrefix("blocks.") }
    let layers = Set(written.compactMap { $0.split(separator: ".").dropFirst().first })
    guard !written.isEmpty, isInBlock, layers.count < world.layers else {
      throw fault("\(path).drift", "needs a plant in some modules of the blocks, and others left")
    }
  }

  /// The standard regime that an entry is or changes.
  private func standard(_ entry: OrganismFile.RegimeEntry) throws -> Regime {
    let name = entry.like ?? entry.id
    guard let regime = Regime.all.first(where: { $0.id == name }) else {
      let known = Regime.all.map(\.id)
      guard entry.like == nil, nearest(to: name, among: known) == nil else {
        throw DefinitionError.unknownName(
          name, kind: "regime (\(self.name))", nearest: nearest(to: name, among: known))
      }
      throw fault(
        "regimes.\(name)",
        "is none of \(known.joined(separator: ", ")); a name of your own needs 'like', which says "
          + "which of them it changes")
    }
    return regime
  }

  func regimes(_ entries: [OrganismFile.RegimeEntry]) throws -> [Regime] {
    guard !entries.isEmpty else { throw fault("regimes", "names no regime") }
    guard Set(entries.map(\.id)).count == entries.count else {
      throw fault("regimes", "names a regime twice")
    }
    return try entries.map { entry in
      guard Name.isValid(entry.id) else {
        throw fault("regimes.\(entry.id)", "should be of lowercase letters, digits and hyphens")
      }
      var regime = try standard(entry)
      regime.id = entry.id
      regime.parameters = entry.parameters ?? regime.parameters
      regime.learningRate = entry.learningRate ?? regime.learningRate
      regime.mark = entry.mark ?? regime.mark
      regime.cap = entry.cap ?? regime.cap
      regime.age = entry.age ?? regime.age
      regime.mix = entry.mix ?? regime.mix
      regime.drift = entry.drift ?? regime.drift
      let path = "regimes.\(entry.id)"
      guard regime.learningRate > 0, regime.learningRate <= 1 else {
        throw fault("\(path).learningRate", "should be above 0 and at most 1")
      }
      try checkParameters(regime.parameters, "\(path).parameters")
      guard (0.01...1).contains(regime.mark) else {
        throw fault("\(path).mark", "should be from 0.01 to 1")
      }
      guard (1...100_000).contains(regime.cap) else {
        throw fault("\(path).cap", "should be from 1 to 100000 steps")
      }
      guard (1...100).contains(regime.age) else {
        throw fault("\(path).age", "should be from 1 to 100")
      }
      guard (0...1000).contains(regime.mix) else {
        throw fault("\(path).mix", "should be from 0 to 1000")
      }
      guard (0...10).contains(regime.drift) else {
        throw fault("\(path).drift", "should be from 0 to 10")
      }
      try checkDrift(regime, path)
      return regime
    }
  }
}
