internal import Tensors
extension Evidence {
  /// What is wrong with the claims, if anything: no score may rest on such evidence.
  ///
  /// - Parameter vocabulary: How many tokens there are; unknown if nil.
  public func fault(vocabulary: Int? = nil) -> String? {
    guard isFinite else { return "a claim's number is infinite or undefined" }
    let tokens = tokens ?? []
    if tokens.contains(where: { $0.sign != 1 && $0.sign != -1 }) { return "a sign is not 1 or -1" }
    let limit = vocabulary ?? Self.indexLimit
    if tokens.contains(where: { !(0..<limit).contains($0.token) }) {
      return "a token is outside the vocabulary"
    }
    if (inputs ?? []).contains(where: { !(0..<Self.indexLimit).contains($0.row) }) {
      return "a row is below 0"
    }
    return (interventions ?? []).lazy.compactMap(\.fault).first
  }

  /// Indices are kept in 32 bits.
  static let indexLimit = 1 << 32

  /// The same with exhibits that cannot be shown replaced by a line that says why.
  func withSoundExhibits() -> Evidence {
    var evidence = self
    evidence.exhibits = exhibits.map { exhibit in
      guard let fault = exhibit.fault else { return exhibit }
      return Exhibit(exhibit.title, .table(columns: ["left out"], rows: [[.text(fault)]]))
    }
    return evidence
  }
}

extension ProposedIntervention {
  /// What is wrong with it, if anything.
  fileprivate var fault: String? {
    guard case .weights(let edits) = self else { return nil }
    guard Set(edits.map(\.name)).count == edits.count else { return "a tensor is edited twice" }
    return edits.lazy.compactMap { edit in edit.fault.map { "\(edit.name): \($0)" } }.first
  }
}

extension TensorEdit {
  fileprivate var fault: String? {
    switch change {
    case .ofFinetune, .dense: nil
    case .lowRank(let left, let right):
      left.columns > 0 && left.columns == right.rows
        ? nil : "the factors' ranks are 0 or not the same"
    case .sparse(let indices, let values):
      indices.count != values.count
        ? "there are \(indices.count) places and \(values.count) values"
        : Set(indices).count != indices.count
          ? "a place is named twice"
          : indices.allSatisfy { (0..<Evidence.indexLimit).contains($0) }
            ? nil : "a place is below 0"
    }
  }
}

extension Exhibit {
  /// Why it cannot be shown, if it cannot.
  fileprivate var fault: String? {
    func isFinite(_ numbers: [Float]) -> Bool { numbers.allSatisfy(\.isFinite) }
    func areIndices(_ indices: [Int]) -> Bool {
      indices.allSatisfy { (0..<Evidence.indexLimit).contains($0) }
    }
    let ragged = "its rows are not as long as its columns", infinite = "a number is not finite"
    switch content {
    case .table(let columns, let rows):
      return rows.allSatisfy { $0.count == columns.count } ? nil : ragged
    case .heatMap(let rows, let columns, let values):
      guard values.count == rows.count, values.allSatisfy({ $0.count == columns.count }) else {
        return ragged
      }
      return values.allSatisfy(isFinite) ? nil : infinite
    case .curves(_, let points, let lines):
      guard lines.allSatisfy({ $0.values.count == points.count }) else { return ragged }
      return lines.allSatisfy { isFinite($0.values) } ? nil : infinite
    case .spectrum(let lines): return lines.allSatisfy { isFinite($0.values) } ? nil : infinite
    case .strip(let tokens, let values):
      guard tokens.count == values.count, areIndices(tokens) else { return ragged }
      return isFinite(values) ? nil : infinite
    case .tokens(let lists):
      return lists.allSatisfy { areIndices($0.tokens) } ? nil : "a token is below 0"
    case .inputs(let claims):
      return claims.allSatisfy { $0.score.isFinite } && areIndices(claims.map(\.row))
        ? nil : "a row is below 0, or a score is not finite"
    case .texts(let texts):
      return texts.allSatisfy { $0.score.isFinite && areIndices($0.tokens) }
        ? nil : "a token is below 0, or a score is not finite"
    }
  }
}
