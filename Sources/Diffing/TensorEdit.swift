internal import Transformers
public import Tensors

/// What an intervention adds to one tensor of the base.
public struct TensorEdit: Equatable, Sendable {
  /// The change, as short as it can be said.
  public enum Change: Equatable, Sendable {
    /// A multiple of what finetuning changed in this tensor.
    case ofFinetune(factor: Float)
    /// The product of factors shaped `[rows, rank]` and `[rank, columns]`.
    case lowRank(left: Tensor, right: Tensor)
    /// Values at some places of the tensor, counted row by row; 0 elsewhere.
    case sparse(indices: [Int], values: [Float])
    /// Every value, row by row.
    case dense([Float])
  }

  /// The tensor.
  public let name: String
  /// What is added to it.
  public let change: Change

  /// Edits a tensor.
  public init(name: String, change: Change) {
    self.name = name
    self.change = change
  }

  var isFinite: Bool {
    switch change {
    case .ofFinetune(let factor): factor.isFinite
    case .lowRank(let left, let right): left.isFinite && right.isFinite
    case .sparse(_, let values), .dense(let values): values.allSatisfy(\.isFinite)
    }
  }

  /// The change as a tensor.
  ///
  /// - Parameter pair: The models whose tensor it changes.
  /// - Returns: A tensor shaped as the model's; nil if the models have no such tensor or the edit does not
  ///   fit its shape.
  public func tensor(in pair: ModelPair) -> Tensor? {
    guard let entry = pair.base.parameters.layout.find(name) else { return nil }
    switch change {
    case .ofFinetune(let factor):
      let change = pair.change(of: name)
      return factor == 1 ? change : change.scaled(by: factor)
    case .lowRank(let left, let right):
      guard left.columns == right.rows, [left.rows, right.columns] == entry.matrixShape else {
        return nil
      }
      return matrixProduct(left, right).reshaped(entry.shape)
    case .sparse(let indices, let values):
      guard indices.count == values.count, indices.allSatisfy((0..<entry.count).contains) else {
        return nil
      }
      var scalars = [Float](repeating: 0, count: entry.count)
      for (index, value) in zip(indices, values) { scalars[index] = value }
      return Tensor(shape: entry.shape, scalars: scalars)
    case .dense(let scalars):
      return scalars.count == entry.count ? Tensor(shape: entry.shape, scalars: scalars) : nil
    }
  }
}

extension TensorEdit: Codable {
  private enum CodingKeys: String, CodingKey {
    case tensor, ofFinetune, rank, left, right, indices, values, dense
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func numbers(_ key: CodingKeys) throws -> [Float] {
      try container.decode(PackedNumbers.self, forKey: key).values
    }
    name = try container.decode(String.self, forKey: .tensor)
    if let factor = try container.decodeIfPresent(Float.self, forKey: .ofFinetune) {
      change = .ofFinetune(factor: factor)
    } else if let rank = try container.decodeIfPresent(Int.self, forKey: .rank) {
      let left = try numbers(.left), right = try numbers(.right)
      guard rank > 0, left.count % rank == 0, right.count % rank == 0 else {
        throw DiffingError.badEvidence("the factors of '\(name)' have no rank of \(rank)")
      }
      change = .lowRank(
        left: Tensor(shape: [left.count / rank, rank], scalars: left),
        right: Tensor(shape: [rank, right.count / rank], scalars: right))
    } else if let indices = try container.decodeIfPresent(PackedIndices.self, forKey: .indices) {
      change = .sparse(indices: indices.values, values: try numbers(.values))
    } else {
      change = .dense(try numbers(.dense))
    }
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .tensor)
    switch change {
    case .ofFinetune(let factor): try container.encode(factor, forKey: .ofFinetune)
    case .lowRank(let left, let right):
      try container.encode(left.columns, forKey: .rank)
      try container.encode(PackedNumbers(left.scalars), forKey: .left)
      try container.encode(PackedNumbers(right.scalars), forKey: .right)
    case .sparse(let indices, let values):
      try container.encode(PackedIndices(indices), forKey: .indices)
      try container.encode(PackedNumbers(values), forKey: .values)
    case .dense(let scalars): try container.encode(PackedNumbers(scalars), forKey: .dense)
    }
  }
}
