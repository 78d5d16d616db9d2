package import Tensors

/// Builds a dictionary in one pass over activations: a row that the atoms so far leave too much of becomes an atom.
///
/// Rows are taken one after the other, so how they are cut into batches changes nothing.
package struct ITDABuilder {
  private let options: ITDADictionary.Options
  private let width: Int
  private var atoms: [Float]
  private var provenance: [ITDADictionary.Provenance]
  /// How many rows had been read when each atom was added.
  private var readBefore: [Int] = []
  private var pursuit: MatchingPursuit
  /// How many of the first atoms were there from the start.
  private let given: Int
  /// Rows that were read.
  package private(set) var rows = 0

  /// Starts with no atoms.
  package init(width: Int, _ options: ITDADictionary.Options) {
    self.width = width
    self.options = options
    (atoms, provenance, given) = ([], [], 0)
    pursuit = MatchingPursuit(capacity: options.capacity)
  }

  /// Goes on with the atoms of a dictionary: what is added then is what they do not explain.
  ///
  /// - Parameters:
  ///   - dictionary: The atoms that are there already.
  ///   - room: How many may be added.
  package init(continuing dictionary: ITDADictionary, room: Int) {
    width = dictionary.width
    options = dictionary.options
    (atoms, provenance) = (dictionary.atoms.scalars, dictionary.provenance)
    given = dictionary.count
    pursuit = MatchingPursuit(dictionary.atoms, capacity: given + room)
  }

  /// The atoms that were added, by where they come from.
  package var added: ArraySlice<ITDADictionary.Provenance> { provenance[given...] }

  /// The atoms that some of the first rows added.
  package func added(fromFirst rows: Int) -> [ITDADictionary.Provenance] {
    zip(added, readBefore).filter { $0.1 <= rows }.map(\.0)
  }

  /// Whether there is no room for another atom.
  package var isFull: Bool { pursuit.isFull }

  /// The dictionary so far.
  package var dictionary: ITDADictionary {
    ITDADictionary(
      Tensor(shape: [pursuit.count, width], scalars: atoms), provenance, options, pursuit)
  }

  /// Reads rows.
  ///
  /// - Parameters:
  ///   - activations: Shaped `[rows, width]`; rows of no length are passed over.
  ///   - sources: Where each row comes from.
  /// - Precondition: There is one source a row.
  package mutating func read(_ activations: Tensor, from sources: [ITDADictionary.Provenance]) {
    precondition(activations.rows == sources.count, "Every row comes from somewhere")
    let known = pursuit.count
    let correlations = matrixProduct(
      activations, Tensor(shape: [known, width], scalars: atoms), transposingB: true)
    for row in 0..<activations.rows where !pursuit.isFull {
      let own = activations.row(row), square = dot(own, own)
      rows += 1
      guard square > 0 else { continue }
      // Of atoms that this batch brought, the products were not computed with the others.
      let new = (known..<pursuit.count).map { atom in
        dot(own, atoms[atom * width..<(atom + 1) * width])
      }
      let all = Array(correlations.row(row)) + new
      let result = pursuit.decompose(all, square: square, steps: options.sparsity)
      if result.relativeError > options.threshold { append(own, square, all, sources[row]) }
    }
  }

  private mutating func append(
    _ row: ArraySlice<Float>, _ square: Float, _ correlations: [Float],
    _ source: ITDADictionary.Provenance
  ) {
    let factor = 1 / square.squareRoot()
    pursuit.append(correlations: correlations.map { $0 * factor })
    atoms += row.map { $0 * factor }
    provenance.append(source)
    readBefore.append(rows)
  }
}
