package import Diffing
internal import Tensors
package import Transformers

/// A finetune as one vector: what was added to every tensor (Ilharco et al., 2022, arXiv 2212.04089).
///
/// Vectors of one base can be negated, scaled, added and compared. Changes that are kept as factors
/// stay factors.
package struct TaskVector: Sendable {
  private enum Change: Sendable {
    /// A multiple of what one model has over another; formed when it is read.
    case between(base: Parameters, finetuned: Parameters, factor: Float)
    case dense(Tensor)
    case factors(LowRankUpdate)

    func tensor(_ name: String) -> Tensor {
      switch self {
      case .between(let base, let finetuned, let factor):
        let change = finetuned.difference(of: name, from: base)
        return factor == 1 ? change : change.scaled(by: factor)
      case .dense(let tensor): return tensor
      case .factors(let update): return update.product
      }
    }

    func scaled(by factor: Float) -> Change {
      switch self {
      case .between(let base, let finetuned, let own):
        .between(base: base, finetuned: finetuned, factor: own * factor)
      case .dense(let tensor): .dense(tensor.scaled(by: factor))
      case .factors(let update):
        .factors(LowRankUpdate(left: update.left.scaled(by: factor), right: update.right))
      }
    }
  }

  /// Changed tensors, in the order of the layout.
  private let changes: [(name: String, change: Change)]
  /// How many times the finetune it is, or a part of it is; nil for a sum of vectors.
  private let multiple: Float?

  private init(changes: [(name: String, change: Change)], multiple: Float?) {
    self.changes = changes
    self.multiple = multiple
  }

  /// Extracts the vector of a finetune: finetuned minus base.
  package init(_ pair: ModelPair) {
    let whole = Change.between(
      base: pair.base.parameters, finetuned: pair.finetuned.parameters, factor: 1)
    changes = pair.base.parameters.layout.names.filter(pair.isChanged).map { name in
      (name, pair.factors(of: name).map(Change.factors) ?? whole)
    }
    multiple = 1
  }

  /// The names of the tensors that it changes.
  package var names: [String] { changes.map(\.name) }

  package var negated: TaskVector { scaled(by: -1) }

  package func scaled(by factor: Float) -> TaskVector {
    TaskVector(
      changes: changes.map { ($0.name, $0.change.scaled(by: factor)) },
      multiple: multiple.map { $0 * factor })
  }

  /// The part that changes some tensors only.
  package func restricted(to isKept: (String) -> Bool) -> TaskVector {
    TaskVector(changes: changes.filter { isKept($0.name) }, multiple: multiple)
  }

  package static func + (a: TaskVector, b: TaskVector) -> TaskVector {
    let known = Set(a.names)
    let sums = a.changes.map { entry -> (String, Change) in
      guard let other = b.change(of: entry.name) else { return entry }
      return (entry.name, .dense(entry.change.tensor(entry.name) + other.tensor(entry.name)))
    }
    return TaskVector(
      changes: sums + b.changes.filter { !known.contains($0.name) }, multiple: nil)
  }

  private func change(of name: String) -> Change? { changes.first { $0.name == name }?.change }

  /// The norm over all tensors.
  package var norm: Float { max(0, dot(self)).squareRoot() }

  private func dot(_ other: TaskVector) -> Float {
    Float(
      changes.reduce(0.0) { sum, entry in
        guard let second = other.change(of: entry.name) else { return sum }
        let (own, other) = (entry.change.tensor(entry.name), second.tensor(entry.name))
        return sum + Double(Tensors.dot(own.scalars, other.scalars))
      })
  }

  /// The cosine between two vectors; 0 if one of them is zero.
  package func cosine(_ other: TaskVector) -> Float {
    let norms = norm * other.norm
    return norms > 0 ? dot(other) / norms : 0
  }

  /// A model with `factor` times the vector added: 1 gives the finetune from its base, -1 forgets it.
  ///
  /// What changes is formed whenever the model reads it; whoever runs the model often holds it in memory
  /// (`holdingAll`).
  package func applied(to model: any LanguageModel, factor: Float = 1) -> any LanguageModel {
    var model = model
    model.parameters = added(to: model.parameters, factor: factor)
    return model
  }

  private func added(to base: Parameters, factor: Float) -> Parameters {
    var sum = base, formed: [String: any FormedTensor] = [:]
    for (name, change) in changes {
      switch change.scaled(by: factor) {
      case .factors(let update): sum = sum.updated(name, by: update)
      case .dense(let tensor):
        formed[name] = ChangedTensor(of: base, name) { addScaled(Matrix(tensor).rows($0), to: $1) }
      case .between(let before, let after, let factor):
        formed[name] = ChangedTensor(of: base, name) {
          addDifference(
            after.rows($0, of: name), less: before.rows($0, of: name), by: factor, to: $1)
        }
      }
    }
    return formed.isEmpty ? sum : sum.replacing(formed)
  }

  /// The vector as an edit that the bench can apply.
  package var intervention: ProposedIntervention {
    .weights(changes.map { TensorEdit(name: $0.name, change: edit($0.name, $0.change)) })
  }

  private func edit(_ name: String, _ change: Change) -> TensorEdit.Change {
    if let multiple { return .ofFinetune(factor: multiple) }
    return switch change {
    case .dense, .between: .dense(change.tensor(name).scalars)
    case .factors(let update): .lowRank(left: update.left, right: update.right)
    }
  }
}
