package import Tensors

/// Inference-Time Decomposition of Activations: a dictionary whose atoms are activations themselves, with where each
/// comes from (Leask et al., 2025, "Inference-Time Decomposition of Activations (ITDA): A Scalable Approach to
/// Interpreting Large Language Models").
package struct ITDADictionary: Equatable, Sendable {
  /// Which token of which document an atom is the activation of.
  package struct Provenance: Hashable, Codable, Sendable {
    /// The document, counted from 0 in the order in which they were read.
    package let document: Int
    /// The token's place in it, counted from 0.
    package let position: Int

    package init(document: Int, position: Int) {
      self.document = document
      self.position = position
    }
  }

  /// How a dictionary is made, and used.
  package struct Options: Equatable, Sendable {
    /// Atoms of a row's code, at most.
    package var sparsity: Int
    /// A row of which more than this is left over, ‖x − x̂‖² / ‖x‖², becomes an atom.
    package var threshold: Float
    /// Atoms, at most.
    package var capacity: Int

    package init(sparsity: Int, threshold: Float, capacity: Int) {
      self.sparsity = sparsity
      self.threshold = threshold
      self.capacity = capacity
    }
  }

  /// Unit rows, shaped `[atoms, width]`.
  package let atoms: Tensor
  /// Where each atom comes from.
  package let provenance: [Provenance]
  package let options: Options
  private let pursuit: MatchingPursuit

  /// Takes atoms as they are.
  ///
  /// - Precondition: There is one provenance an atom.
  package init(atoms: Tensor, provenance: [Provenance], options: Options) {
    precondition(atoms.rows == provenance.count, "Every atom comes from somewhere")
    self.init(atoms, provenance, options, MatchingPursuit(atoms, capacity: atoms.rows))
  }

  init(
    _ atoms: Tensor, _ provenance: [Provenance], _ options: Options, _ pursuit: MatchingPursuit
  ) {
    self.atoms = atoms
    self.provenance = provenance
    self.options = options
    self.pursuit = pursuit
  }

  package static func == (a: Self, b: Self) -> Bool {
    a.atoms == b.atoms && a.provenance == b.provenance && a.options == b.options
  }

  /// How many atoms there are.
  package var count: Int { provenance.count }
  /// Numbers in an activation.
  package var width: Int { atoms.columns }

  /// Activations as few atoms each, a row at a time: no row's code depends on another's.
  ///
  /// - Parameter activations: Shaped `[rows, width]`.
  package func codes(of activations: Tensor) -> SparseCodes {
    codesAndErrors(of: activations).codes
  }

  /// The same, with what of each row its code leaves over: ‖x − x̂‖² / ‖x‖².
  package func codesAndErrors(of activations: Tensor) -> (
    codes: SparseCodes, relativeErrors: [Float]
  ) {
    let all = decompositions(of: activations)
    return (SparseCodes(latents: count, rows: all.map(\.entries)), all.map(\.relativeError))
  }

  private func decompositions(of activations: Tensor) -> [MatchingPursuit.Result] {
    guard count > 0, activations.rows > 0 else {
      return (0..<activations.rows).map { _ in .init(entries: [], relativeError: 1) }
    }
    let correlations = matrixProduct(activations, atoms, transposingB: true)
    return (0..<activations.rows).map { row in
      let own = activations.row(row)
      return pursuit.decompose(
        correlations.row(row), square: dot(own, own), steps: options.sparsity)
    }
  }

  /// What codes stand for, shaped `[rows, width]`.
  package func decoded(_ codes: SparseCodes) -> Tensor { codes.decoded(atoms) }

  /// How alike two dictionaries are that read the same documents: |A ∩ B| / |A ∪ B| over where their atoms come from.
  ///
  /// - Returns: 1 of equal ones, two empty ones included.
  package func overlap(with other: ITDADictionary) -> Double {
    Self.overlap(provenance, other.provenance)
  }

  /// The same of the places of two dictionaries' atoms.
  package static func overlap(_ own: [Provenance], _ others: [Provenance]) -> Double {
    let (own, others) = (Set(own), Set(others)), all = own.union(others).count
    return all > 0 ? Double(own.intersection(others).count) / Double(all) : 1
  }
}

extension ITDADictionary {
  /// A dictionary of about as many atoms as are asked for, from one pass over activations.
  ///
  /// How much may be left of a row depends on the model, so it is searched: the least that gives no more atoms.
  ///
  /// - Parameters:
  ///   - activations: Shaped `[rows, width]`.
  ///   - sources: Where each row comes from.
  ///   - atoms: Atoms, at most.
  ///   - sparsity: Atoms of a row's code, at most.
  package init(
    of activations: Tensor, from sources: [Provenance], atoms: Int, sparsity: Int
  ) {
    func built(_ threshold: Float, room: Int) -> ITDADictionary {
      var builder = ITDABuilder(
        width: activations.columns,
        Options(sparsity: sparsity, threshold: threshold, capacity: room))
      builder.read(activations, from: sources)
      return builder.dictionary
    }
    var low = Self.thresholds.lowerBound, high = Self.thresholds.upperBound
    var best = built(high, room: atoms)
    for _ in 0..<Self.halvings {
      let middle = (low * high).squareRoot(), next = built(middle, room: atoms + 1)
      if next.count > atoms { low = middle } else { (high, best) = (middle, next) }
    }
    self = best
  }

  /// Between what rounding leaves and what a single atom does.
  private static var thresholds: ClosedRange<Float> { 1e-5...0.9 }
  /// The last step is a tenth of a percent.
  private static var halvings: Int { 12 }
}
