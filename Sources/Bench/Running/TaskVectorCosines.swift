internal import Methods
internal import Tensors
internal import Diffing
internal import Organisms

/// How alike the weight changes of planted pairs of one base are: cosines between their task vectors.
package struct TaskVectorCosines: Sendable {
  /// Plants, as `organism@regime`.
  package let names: [String]
  /// The family and the standard regime of each plant.
  package let kinds: [(family: String, regime: String)]
  /// Shaped `[plants][plants]`.
  package let cosines: [[Float]]

  /// Takes the vectors of plants, made now if they are not cached.
  ///
  /// - Parameters:
  ///   - workshop: Where pairs are kept.
  ///   - subjects: The plants.
  ///   - seed: The base's.
  /// - Throws: `DefinitionError`, `CheckpointError`, `DiffingError` or `JSONError`.
  package init(_ workshop: Workshop, subjects: [Subject], seed: UInt64) throws {
    let base = try workshop.bases.base(seed: seed)
    var names: [String] = [], kinds: [(family: String, regime: String)] = []
    var vectors: [TaskVector] = []
    for case .organism(let organism, let regime) in subjects {
      let planted = try workshop.pairs.pair(.organism(organism, regime), in: base)
      names.append(PairName(organism.id, regime.id).description)
      kinds.append((organism.file.family, regime.standard))
      vectors.append(TaskVector(try ModelPair(base: planted.base, finetuned: planted.finetuned)))
    }
    self.names = names
    self.kinds = kinds
    cosines = vectors.map { vector in vectors.map { vector.cosine($0) } }
  }
}
