package import Diffing
internal import Tensors
internal import Transformers

/// How directions become answers: the same for every method, so that recall compares like with like.
enum Decoding {
  /// Relative to the activations, a difference of single precision alone stays below this.
  static let rounding: Float = 1e-6

  /// The readable blocks after which the streams differ by more than rounding.
  ///
  /// - Parameter differences: The relative size of the difference after each block.
  static func readable(_ differences: [Float]) -> [Int] {
    readableLayers(differences.count).filter { differences[$0] > rounding }
  }

  /// The length of a proposed steering vector as a share of the mean activation.
  ///
  /// Fixed once for all methods; beyond it the base's text loses coherence.
  static let steeringShare: Float = 0.5

  /// Tokens along directions of the residual stream, read through the finetuned model's lens.
  ///
  /// - Parameters:
  ///   - directions: The directions, the strongest first; merged by turns.
  ///   - isSigned: Whether a direction's sign means something; if not, each is read both ways.
  static func tokens(
    along directions: [Tensor], of pair: ModelPair, isSigned: Bool = true,
    excluding excluded: Set<Int>
  ) -> [TokenClaim]? {
    let known = directions.filter { $0.norm > 0 }
    guard !known.isEmpty else { return nil }
    let stacked = Tensor(
      shape: [known.count, pair.shape.width], scalars: known.flatMap(\.scalars))
    let scores = LogitLens(pair.finetuned).scores(along: stacked).centredRows
    return TokenClaim.roundRobin(
      (0..<known.count).flatMap { index -> [[TokenClaim]] in
        let row = Array(scores.row(index))
        return (isSigned ? [row] : [row, row.map(-)]).map {
          TokenClaim.ranking($0, excluding: excluded)
        }
      })
  }

  /// Steering along a direction, as long as a share of the activations that it is added to; nil if it has no
  /// length.
  static func steering(layer: Int, _ direction: Tensor, activationNorm: Float)
    -> ProposedIntervention?
  {
    let norm = direction.norm
    guard norm > rounding * activationNorm else { return nil }
    let scale = steeringShare * activationNorm / norm
    return .steer(layer: layer, direction: direction.scaled(by: scale).scalars)
  }

  /// Prompts by how far their last token's activation moved along a direction; nil if none did.
  static func inputs(along direction: Tensor, of pair: ModelPair, layer: Int, text: TokenBatch)
    -> [InputClaim]?
  {
    let moved = pair.difference(at: .residualPost(layer: layer), on: text)
      .rows(at: text.lastIndices)
    return InputClaim.ranking(
      matrixProduct(moved, direction.reshaped([direction.count, 1])).scalars)
  }

  /// The ids that a ranking names first, of one sign.
  static func top(_ claims: [TokenClaim], sign: Int = 1, _ count: Int = 10) -> [Int] {
    claims.lazy.filter { $0.sign == sign }.prefix(count).map(\.token)
  }
}

/// The indices of the largest values, in order; of equal ones the first.
func largestIndices<Value: Comparable>(_ values: [Value], _ count: Int) -> [Int] {
  values.indices.sorted { (values[$0], -$0) > (values[$1], -$1) }.prefix(count).sorted()
}

/// Changes of logits or log-probabilities less their median, since a shift of all changes no probability.
///
/// Less the mean, one token's change would be spread over all others, which would then rank above it as a
/// tie. What is within rounding of the median is 0.
func centred(_ changes: some Collection<Float>) -> [Float] {
  guard !changes.isEmpty else { return [] }
  let middle = median(changes)
  let rounding = 1e-5 * changes.reduce(0) { max($0, abs($1 - middle)) }
  return changes.map { abs($0 - middle) > rounding ? $0 - middle : 0 }
}

extension PromptSet {
  /// The tokens after which an answer is read: a prompt is answered at its end, running text is
  /// predicted everywhere.
  package var answerIndices: [Int] {
    access == .pool ? text.lastIndices : thinned(countedTokens)
  }

  /// Of places whose answers are read as many as may be, evenly spread.
  func thinned(_ indices: [Int]) -> [Int] { thinned(indices, to: limits) }

  /// The same where they are read once for each block.
  func thinned(_ indices: [Int], to limits: ReadingLimits) -> [Int] {
    guard indices.count > limits.answers else { return indices }
    return (0..<limits.answers).map { indices[$0 * indices.count / limits.answers] }
  }

  /// The counted tokens of each row at some positions, counted from 0 at the row's first token.
  func countedTokens(at positions: ClosedRange<Int>) -> [[Int]] {
    (0..<text.rows).map { row in
      let start = text.range(row).lowerBound
      return countedTokens(ofRow: row, in: text).filter { positions.contains($0 - start) }
    }
  }

  /// The first rows of the text, at most `count`.
  func prefix(rows count: Int) -> TokenBatch {
    TokenBatch((0..<min(count, text.rows)).map { Array(text.row($0)) })
  }
}

extension ModelPair {
  /// The mean norm of the base's activations at a site; the finetuned model's where the base has none.
  func activationNorm(at site: ActivationSite, on text: TokenBatch, _ indices: [Int]) -> Float {
    func norm(_ side: Side) -> Float {
      activations(side, at: site, on: text).rows(at: indices).rowNorms.mean
    }
    let own = norm(.base)
    return own > 0 ? own : norm(.finetuned)
  }

  /// The prompts on which the models' answers are furthest apart, in the order of the pool.
  func mostDivergent(_ count: Int, of text: TokenBatch) -> [Int] {
    byDivergence(text).prefix(count).sorted()
  }

  /// All prompts, those on which the models' answers are furthest apart first.
  func byDivergence(_ text: TokenBatch) -> [Int] {
    let divergences = answerDivergences(on: text)
    return divergences.indices.sorted { (divergences[$0], -$0) > (divergences[$1], -$1) }
  }

  /// Whether the streams are the same before the first block.
  var embedsAlike: Bool {
    ![base.names.embedding, base.names.positions].compactMap(\.self).contains(where: isChanged)
  }

  /// What changed of that which reads the last stream; a tied model's unembedding is its embedding.
  var changedAboveBlocks: [ModuleSite] {
    let names = base.names
    let norm = [names.finalNorm, names.finalNormBias].compactMap(\.self)
    return (isChanged(names.unembedding) ? [names.module(of: names.unembedding)] : [])
      + (norm.contains(where: isChanged) ? [names.module(of: names.finalNorm)] : [])
  }
}
