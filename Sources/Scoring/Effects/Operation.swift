package import Diffing
internal import Tensors
package import Transformers

/// What a proposal comes to in a pair: an operation of a certain direction or place, whose strength is a budget
/// and not part of the proposal.
///
/// So neither the spelling of an edit nor its size decides what it scores: entries of one tensor are summed, and
/// half of a change, all of it and twice as much are one operation.
enum Operation: Equatable {
  /// Along a unit vector of the stream after a block.
  case steer(layer: Int, Tensor)
  /// By the other model's component along a unit vector, along it or along another one.
  case project(layer: Int, Tensor, into: Tensor)
  /// By what separates the models after a block, only as far as its component along a unit vector goes.
  case share(layer: Int, asFarAs: Tensor)
  /// By what separates the models at a site.
  case patch(ActivationSite)
  /// Along a change of weights of norm 1.
  case weights(WeightChange)

  /// What a proposal comes to; nil if it fits no layer, site or tensor of the pair, or is nothing.
  init?(_ proposal: ProposedIntervention, _ pair: ModelPair) {
    func unit(_ layer: Int, _ direction: [Float]) -> Tensor? {
      let isKnown = (0..<pair.shape.layers).contains(layer) && direction.count == pair.shape.width
      let tensor = Tensor(direction)
      return isKnown && tensor.norm > 0 ? tensor.unit : nil
    }
    switch proposal {
    case .steer(let layer, let direction):
      guard let unit = unit(layer, direction) else { return nil }
      self = .steer(layer: layer, unit)
    case .project(let layer, let direction):
      guard let unit = unit(layer, direction) else { return nil }
      self = .project(layer: layer, unit, into: unit)
    case .patch(let module):
      // The final norm's output is the whole answer: to put it in puts in everything.
      guard module != .finalNorm, let site = module.output, pair.base.sites.contains(site) else {
        return nil
      }
      self = .patch(site)
    case .weights(let edits):
      guard let change = WeightChange(edits, of: pair)?.unit else { return nil }
      self = .weights(change)
    }
  }

  /// The stream that it adds to, or the last one that it leaves as it is; nil if there is none, or if it replaces a
  /// stream as a whole, where its pass starts anyway.
  func start(in model: any LanguageModel) -> ActivationSite? {
    let layers = model.shape.layers
    return switch self {
    case .steer(let layer, _): .residualPost(layer: layer)
    case .project, .share: nil
    case .patch(let site):
      ModuleSite.all(layers: layers).first { $0.output == site }?.input(layers: layers)
    case .weights(let change):
      change.firstModule(of: model)?.input(layers: layers)
    }
  }

  /// Strengths: shares of the norm of the stream, of the change's norm, or of what separates the models at a
  /// site.
  ///
  /// The whole change is no budget: with it, everything undoes everything.
  var budgets: [Float] {
    switch self {
    case .steer, .weights: [0.125, 0.25, 0.5]
    case .project, .share, .patch: [0.25, 0.5, 1]
    }
  }
}

/// A change of some tensors.
package struct WeightChange: Equatable {
  let tensors: [String: Tensor]

  /// The sum of edits; nil if one fits no tensor of the pair.
  init?(_ edits: [TensorEdit], of pair: ModelPair) {
    var sum: [String: Tensor] = [:]
    for edit in edits {
      guard let change = edit.tensor(in: pair) else { return nil }
      sum[edit.name] = sum[edit.name].map { $0 + change } ?? change
    }
    tensors = sum
  }

  /// What finetuning changed in some modules; nil if nothing.
  package init?(_ pair: ModelPair, in modules: Set<ModuleSite>? = nil) {
    let names = pair.base.parameters.layout.names.filter { name in
      pair.isChanged(name) && modules?.contains(pair.base.names.module(of: name)) ?? true
    }
    guard !names.isEmpty else { return nil }
    tensors = Dictionary(uniqueKeysWithValues: names.map { ($0, pair.change(of: $0)) })
  }

  private init(_ tensors: [String: Tensor]) { self.tensors = tensors }

  /// The whole change, each tensor as large as here.
  ///
  /// A choice or a weighting of tensors is its own counterpart; what is left to tell is which directions of a
  /// tensor carry the behaviour.
  func wholeAlike(_ pair: ModelPair) -> WeightChange {
    WeightChange(
      tensors.filter { pair.isChanged($0.key) }.reduce(into: [:]) { whole, entry in
        let change = pair.change(of: entry.key)
        whole[entry.key] = change.scaled(by: entry.value.norm / change.norm)
      })
  }

  private var sorted: [(key: String, value: Tensor)] { tensors.sorted { $0.key < $1.key } }

  /// The Frobenius norm over all tensors.
  package var norm: Float {
    Float(sorted.reduce(0.0) { $0 + Double($1.value.norm) * Double($1.value.norm) }.squareRoot())
  }

  /// The same direction, of norm 1; nil if there is none.
  var unit: WeightChange? {
    let norm = norm
    guard norm > 0, norm.isFinite else { return nil }
    return WeightChange(tensors.mapValues { $0.scaled(by: 1 / norm) })
  }

  /// The modules that it touches.
  func modules(of model: any LanguageModel) -> Set<ModuleSite> {
    Set(tensors.filter { $0.value.norm > 0 }.keys.map(model.names.module))
  }

  /// The first module whose tensors it holds, in the order of the computation.
  func firstModule(of model: any LanguageModel) -> ModuleSite? {
    let own = Set(tensors.keys.map(model.names.module))
    return ModuleSite.all(layers: model.shape.layers).first(where: own.contains)
  }

  /// A model with a multiple of it added.
  func added(to model: any LanguageModel, times factor: Float) -> any LanguageModel {
    var edited = model
    for (name, change) in sorted {
      edited.parameters[name] = edited.parameters[name] + change.scaled(by: factor)
    }
    return edited
  }
}
