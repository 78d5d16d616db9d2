internal import Diffing
internal import Tensors
internal import Transformers

/// An intervention as it is carried out, the finetuned model's part included.
enum Operation {
  case steer(layer: Int, Tensor)
  /// Moves by the other model's component along a direction, along it or along a random one.
  case project(layer: Int, Tensor, into: Tensor)
  /// Moves a site's activations by a share of what separates the two models, or by noise as large.
  case patch(ActivationSite, noise: UInt64?)
  case weights([(name: String, change: Tensor)])

  /// What a proposal comes to in a pair; nil if it fits no layer, site or tensor of it.
  init?(_ proposal: ProposedIntervention, _ pair: ModelPair) {
    func isDirection(_ layer: Int, _ direction: [Float]) -> Bool {
      (0..<pair.shape.layers).contains(layer) && direction.count == pair.shape.width
    }
    switch proposal {
    case .steer(let layer, let direction):
      guard isDirection(layer, direction) else { return nil }
      self = .steer(layer: layer, Tensor(direction))
    case .project(let layer, let direction):
      guard isDirection(layer, direction) else { return nil }
      let unit = Tensor(direction).unit
      self = .project(layer: layer, unit, into: unit)
    case .patch(let module):
      guard let site = module.output, pair.base.sites.contains(site) else { return nil }
      self = .patch(site, noise: nil)
    case .weights(let edits):
      let changes = edits.compactMap { edit in
        edit.tensor(in: pair).map { (name: edit.name, change: $0) }
      }
      guard changes.count == edits.count else { return nil }
      self = .weights(changes)
    }
  }

  /// A random operation of the same size in the same place.
  func control(using generator: inout SeededGenerator) -> Operation {
    switch self {
    case .steer(let layer, let direction):
      return .steer(layer: layer, generator.direction(direction.count, norm: direction.norm))
    case .project(let layer, let unit, _):
      return .project(layer: layer, unit, into: generator.direction(unit.count))
    case .patch(let site, _): return .patch(site, noise: generator.next())
    case .weights(let changes):
      return .weights(changes.map { ($0.name, $0.change.scrambled(using: &generator)) })
    }
  }
}

extension ProposedIntervention {
  /// The share of the finetune's squared norm that an edit of weights leaves out: 0 for the finetune itself.
  func missedShare(of pair: ModelPair) -> Double? {
    guard case .weights(let edits) = self else { return nil }
    let proposed = Dictionary(
      edits.map { ($0.name, $0.tensor(in: pair)?.scalars) }
    ) { first, _ in first }
    var missed = 0.0, total = 0.0
    for name in pair.base.parameters.layout.names where pair.isChanged(name) {
      let change = pair.change(of: name).scalars
      let own = (proposed[name] ?? nil) ?? Array(repeating: 0, count: change.count)
      missed += zip(change, own).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
      total += change.reduce(0.0) { $0 + Double($1) * Double($1) }
    }
    return total > 0 ? missed / total : 0
  }
}

extension Tensor {
  /// Rows and columns in random order, signs flipped at random: the same singular values elsewhere.
  fileprivate func scrambled(using generator: inout SeededGenerator) -> Tensor {
    let rowOrder = generator.permutation(rows), columnOrder = generator.permutation(columns)
    let signs = (0..<columns).map { _ in generator.next() & 1 == 0 ? Float(1) : -1 }
    let scalars = rowOrder.flatMap { row -> [Float] in
      let sign: Float = generator.next() & 1 == 0 ? 1 : -1
      return columnOrder.indices.map { self[row, columnOrder[$0]] * sign * signs[$0] }
    }
    return Tensor(shape: shape, scalars: scalars)
  }
}
