public import Tensors

/// An edit of one activation site during one forward pass; it leaves nothing on the model.
public struct Intervention: Sendable {
  /// What happens to the activations.
  public enum Operation: Sendable {
    /// Replaces them; shaped `[tokens, width]` for the whole batch, or `[width]` for every token.
    case replace(Tensor)
    /// Adds a vector, shaped `[width]`.
    case add(Tensor)
    /// Removes the component along a direction, shaped `[width]`; its length does not matter.
    case projectOut(Tensor)
    /// Multiplies by a factor.
    case scale(Float)
  }

  /// Which tokens of a row are edited.
  public enum Positions: Sendable {
    case all
    /// The last token of each row.
    case last
    /// Tokens by their index in the batch.
    case indices(Set<Int>)
  }

  /// Where it happens.
  public let site: ActivationSite
  /// Edits the columns of this head only; for sites that are split into heads.
  public let head: Int?
  /// At which tokens.
  public let positions: Positions
  /// What is done.
  public let operation: Operation

  /// Describes an edit.
  public init(
    _ operation: Operation, at site: ActivationSite, head: Int? = nil, positions: Positions = .all
  ) {
    self.operation = operation
    self.site = site
    self.head = head
    self.positions = positions
  }

  /// Replaces a site by a recording of it, such as another model's.
  public static func patch(
    _ site: ActivationSite, with recording: Tensor, head: Int? = nil, positions: Positions = .all
  ) -> Intervention {
    Intervention(.replace(recording), at: site, head: head, positions: positions)
  }

  /// Sets a site to zero.
  public static func ablate(
    _ site: ActivationSite, head: Int? = nil, positions: Positions = .all
  ) -> Intervention {
    Intervention(.scale(0), at: site, head: head, positions: positions)
  }

  /// Adds `factor` times a direction.
  public static func steer(
    _ site: ActivationSite, along direction: Tensor, factor: Float = 1, positions: Positions = .all
  ) -> Intervention {
    Intervention(.add(direction.scaled(by: factor)), at: site, positions: positions)
  }

  /// Removes the component along a direction.
  public static func projectOut(_ site: ActivationSite, _ direction: Tensor) -> Intervention {
    Intervention(.projectOut(direction), at: site)
  }

  /// Edits one shard's activations in place.
  ///
  /// - Parameters:
  ///   - window: The columns to edit, shaped `[tokens of the shard, width]`.
  ///   - tokens: Which tokens of the batch the window's rows are.
  ///   - batch: The whole batch.
  func apply(to window: Matrix, tokens: Range<Int>, columns: Range<Int>, batch: TokenBatch) {
    let lastTokens = Set(batch.lastIndices)
    for (row, token) in tokens.enumerated() where covers(token, lastTokens: lastTokens) {
      edit(window.rows(row..<row + 1), token: token, columns: columns)
    }
  }

  /// Turns the gradient by what one shard's edited activations are into that by what they were before, in place.
  ///
  /// The derivative of an edit is 0 where it replaces, 1 where it adds, and what it does itself where it projects
  /// or scales, both of which are symmetric.
  func applyGradient(
    to window: Matrix, tokens: Range<Int>, columns: Range<Int>, batch: TokenBatch
  ) {
    let derivative: Operation
    switch operation {
    case .add: return
    case .replace: derivative = .replace(Tensor(shape: [columns.count]))
    case .projectOut, .scale: derivative = operation
    }
    Intervention(derivative, at: site, head: head, positions: positions)
      .apply(to: window, tokens: tokens, columns: columns, batch: batch)
  }

  /// Whether nothing that was at the site before is left, at any token of a batch.
  func replacesAll(of batch: TokenBatch) -> Bool {
    guard case .replace = operation, case .all = positions else { return false }
    return head == nil && batch.count > 0
  }

  private func covers(_ token: Int, lastTokens: Set<Int>) -> Bool {
    switch positions {
    case .all: true
    case .last: lastTokens.contains(token)
    case .indices(let indices): indices.contains(token)
    }
  }

  private func edit(_ row: Matrix, token: Int, columns: Range<Int>) {
    switch operation {
    case .replace(let tensor):
      if tensor.shape.count == 1 {
        row.copy(vector(tensor, columns))
      } else {
        row.copy(Array(tensor.row(token)[relative: columns]))
      }
    case .add(let tensor):
      addScaled(Matrix(Tensor(vector(tensor, columns))), to: row)
    case .projectOut(let tensor):
      let direction = Tensor(vector(tensor, columns))
      let square = direction.norm * direction.norm
      guard square > 0 else { return }
      let component = dot(row.scalars, direction.scalars) / square
      addScaled(Matrix(direction), by: -component, to: row)
    case .scale(let factor):
      row.copy(row.scalars.map { $0 * factor })
    }
  }

  /// A vector as wide as the edited columns, or the edited columns of a wider one.
  private func vector(_ tensor: Tensor, _ columns: Range<Int>) -> [Float] {
    tensor.count == columns.count ? tensor.scalars : Array(tensor.scalars[columns])
  }
}

extension ArraySlice {
  fileprivate subscript(relative range: Range<Int>) -> ArraySlice {
    self[startIndex + range.lowerBound..<startIndex + range.upperBound]
  }
}
