internal import Tensors

/// Matching pursuit (Mallat & Zhang, 1993) in a dictionary of unit atoms that may grow.
///
/// Of each row x the atom that fits the rest best is taken off, k times: j = argmax |⟨r, d_j⟩|, a_j += ⟨r, d_j⟩,
/// r −= ⟨r, d_j⟩ d_j. Only the correlations c = Dr are followed, by the atoms' products G = DDᵀ: c −= c_j G_j costs
/// as many products as there are atoms, whatever the width.
struct MatchingPursuit {
  /// Numbers that are worked on at once.
  private typealias Lanes = SIMD16<Float>

  /// How many atoms there may be.
  private let capacity: Int
  /// For how many atoms there is room now: a table of all that there may be could be many times as large.
  private var room: Int
  /// Lanes of a row of `products`.
  private var stride: Int
  /// The products of atoms, a row each, zeros behind the last atom.
  private var products: [Lanes]
  private(set) var count = 0

  init(capacity: Int) { self.init(capacity: capacity, room: min(capacity, 64)) }

  private init(capacity: Int, room: Int) {
    self.capacity = capacity
    self.room = room
    stride = Self.lanes(room)
    products = Array(repeating: Lanes(), count: room * stride)
  }

  private static func lanes(_ numbers: Int) -> Int {
    (numbers + Lanes.scalarCount - 1) / Lanes.scalarCount
  }

  /// Starts with atoms, shaped `[atoms, width]`.
  init(_ atoms: Tensor, capacity: Int) {
    self.init(capacity: capacity, room: max(atoms.rows, min(capacity, 64)))
    let products = matrixProduct(atoms, atoms, transposingB: true)
    for atom in 0..<atoms.rows { append(correlations: products.row(atom).prefix(atom)) }
  }

  /// Whether there is no room for another atom.
  var isFull: Bool { count == capacity }

  /// Adds an atom.
  ///
  /// - Parameter correlations: Its products with the atoms before it.
  /// - Precondition: There is room for it.
  mutating func append(correlations: some Collection<Float>) {
    precondition(!isFull, "The dictionary is full")
    if count == room { grow() }
    for (other, product) in correlations.enumerated() {
      set(product, count, other)
      set(product, other, count)
    }
    set(1, count, count)
    count += 1
  }

  /// Makes room for twice as many atoms, or for all that there may be.
  private mutating func grow() {
    let wider = min(capacity, 2 * room), width = Self.lanes(wider)
    var moved = Array(repeating: Lanes(), count: wider * width)
    for row in 0..<count {
      moved.replaceSubrange(
        row * width..<row * width + stride, with: products[row * stride..<(row + 1) * stride])
    }
    (room, stride, products) = (wider, width, moved)
  }

  private mutating func set(_ value: Float, _ row: Int, _ column: Int) {
    products[row * stride + column / Lanes.scalarCount][column % Lanes.scalarCount] = value
  }

  /// What became of a row.
  struct Result {
    /// The atoms in the order in which they were first taken, each once; none with a coefficient of 0.
    let entries: [SparseCodes.Entry]
    /// ‖x − x̂‖² / ‖x‖²: what each step takes off is orthogonal to what it leaves.
    let relativeError: Float
  }

  /// Decomposes a row.
  ///
  /// - Parameters:
  ///   - correlations: The row's products with all atoms.
  ///   - square: ‖x‖².
  ///   - steps: How many atoms are taken off, at most.
  func decompose(_ correlations: some Collection<Float>, square: Float, steps: Int) -> Result {
    guard square > 0, count > 0 else {
      return Result(entries: [], relativeError: square > 0 ? 1 : 0)
    }
    var rest = lanes(correlations), energy = Double(square)
    var order: [Int] = [], values: [Int: Float] = [:]
    let limit = Self.rounding * square.squareRoot()
    for _ in 0..<steps {
      let best = Self.indexOfLargest(rest)
      let value = rest[best / Lanes.scalarCount][best % Lanes.scalarCount]
      guard abs(value) > limit else { break }
      if values[best] == nil { order.append(best) }
      values[best, default: 0] += value
      energy -= Double(value) * Double(value)
      let row = best * stride, factor = Lanes(repeating: value)
      for lane in rest.indices { rest[lane] -= factor * products[row + lane] }
    }
    let entries = order.compactMap { atom in
      values[atom].flatMap { $0 == 0 ? nil : SparseCodes.Entry(latent: atom, value: $0) }
    }
    return Result(entries: entries, relativeError: Float(max(0, energy) / Double(square)))
  }

  /// What is less than this share of a row is rounding.
  private static let rounding: Float = 1e-6

  private func lanes(_ numbers: some Collection<Float>) -> [Lanes] {
    var lanes = Array(repeating: Lanes(), count: stride)
    for (index, number) in numbers.enumerated() {
      lanes[index / Lanes.scalarCount][index % Lanes.scalarCount] = number
    }
    return lanes
  }

  /// The place of the number of the largest magnitude; of equal ones the first.
  private static func indexOfLargest(_ lanes: [Lanes]) -> Int {
    var largest = Lanes()
    for lane in lanes {
      // Masks are instructions; `pointwiseMax` is a loop over the numbers.
      let size = lane.replacing(with: -lane, where: lane .< 0)
      largest.replace(with: size, where: size .> largest)
    }
    let size = largest.max()
    for (index, lane) in lanes.enumerated() {
      let hits = (lane .== size) .| (lane .== -size)
      guard any(hits) else { continue }
      for place in 0..<Lanes.scalarCount where hits[place] {
        return index * Lanes.scalarCount + place
      }
    }
    return 0
  }
}
