internal import Methods
internal import Tensors
package import Transformers

/// Two models on the same prompts, for people who want to see what they do: what each expects next, after which block it does, and
/// where it looks.
///
/// The prompts are those at whose ends the models differ most, the most different first.
package struct SideBySide: Sendable {
  /// One model's expectation of a token.
  package struct Expectation: Equatable, Sendable {
    package let token: Int
    package let probability: Float
  }

  /// How one model reads a prompt.
  package struct Reading: Sendable {
    /// What it expects after each token, the likeliest first.
    package let next: [[Expectation]]
    /// What it would expect if it stopped after a block (the logit lens), by block and token.
    package let lens: [[Expectation]]
    /// The place of each pinned token in those expectations, 1 the likeliest: by pinned token, block and token.
    package let ranks: [[[Int]]]
  }

  /// An attention head and where it looks in both models, shaped `[tokens, tokens]`, one row a token that looks.
  package struct Head: Sendable {
    package let layer, head: Int
    /// Half the sum of what moved, mean over tokens: 0 to 1.
    package let change: Float
    package let base, finetuned: [[Float]]
  }

  /// A prompt that both models read.
  package struct Prompt: Sendable {
    /// Its row in the text.
    package let row: Int
    package let tokens: [Int]
    /// KL(finetuned, base) of what is expected after each token, in nats.
    package let divergences: [Float]
    /// Tokens whose places are followed: those that gained and lost most where the models differ most.
    package let pinned: [Int]
    package let base, finetuned: Reading
    /// The heads that changed most, the most changed first.
    package let heads: [Head]
  }

  /// The most different first.
  package let prompts: [Prompt]
  /// How many prompts were read to find them, of how many.
  package let readCount, allCount: Int

  /// How much is shown of each prompt.
  private static let expected = 6, gained = 3, lost = 1, headCount = 6

  /// - Parameters:
  ///   - base: The base.
  ///   - finetuned: A model of the same shape.
  ///   - rows: Prompts; of many, so many are read as `readLimit` says, from all over.
  ///   - count: How many are shown.
  ///   - readLimit: How many are read.
  package init(
    _ base: any LanguageModel, _ finetuned: any LanguageModel, on rows: [[Int]], count: Int = 12,
    readLimit: Int = 256
  ) {
    let places = rows.indices.filter { !rows[$0].isEmpty }
    let read = Self.spread(places, to: readLimit)
    (readCount, allCount) = (read.count, places.count)
    let order = Self.mostDifferent(base, finetuned, read.map { rows[$0] }).map { read[$0] }
    let pair = (base, finetuned)
    prompts = order.prefix(count).map { Self.prompt($0, rows[$0], pair) }
  }

  /// So many of some items, evenly.
  private static func spread(_ items: [Int], to count: Int) -> [Int] {
    items.count <= count ? items : (0..<count).map { items[$0 * items.count / count] }
  }

  /// Rows by how much what is expected at their ends differs, one forward pass a model.
  private static func mostDifferent(
    _ base: any LanguageModel, _ finetuned: any LanguageModel, _ rows: [[Int]]
  ) -> [Int] {
    guard !rows.isEmpty else { return [] }
    let batch = TokenBatch(rows)
    func expected(_ model: any LanguageModel) -> Tensor {
      model.forward(batch, logits: .last).logits.logProbabilities
    }
    let divergences = rowDivergences(expected(finetuned), expected(base))
    return divergences.indices.sorted { (divergences[$0], $1) > (divergences[$1], $0) }
  }

  // MARK: One prompt

  private static func prompt(
    _ row: Int, _ tokens: [Int], _ pair: (any LanguageModel, any LanguageModel)
  ) -> Prompt {
    let batch = TokenBatch([tokens])
    let layers = pair.0.shape.layers
    let sites = Set(
      (0..<layers).flatMap { [ActivationSite.residualPost(layer: $0), .pattern(layer: $0)] })
    func pass(_ model: any LanguageModel) -> ForwardPass {
      model.forward(batch, recording: sites, editing: [], logits: .all)
    }
    let passes = (pass(pair.0), pass(pair.1))
    let expected = (passes.0.logits.logProbabilities, passes.1.logits.logProbabilities)
    let divergences = rowDivergences(expected.1, expected.0).map { Float($0) }
    let place = divergences.indices.max { divergences[$0] < divergences[$1] } ?? 0
    let pinned = pinned(expected.0.row(place), expected.1.row(place))
    return Prompt(
      row: row, tokens: tokens, divergences: divergences, pinned: pinned,
      base: reading(pair.0, passes.0, expected.0, pinned),
      finetuned: reading(pair.1, passes.1, expected.1, pinned),
      heads: heads(passes.0, passes.1, pair.0.shape, tokens: tokens.count))
  }

  /// The tokens whose probability rose and fell most.
  private static func pinned(_ base: ArraySlice<Float>, _ finetuned: ArraySlice<Float>) -> [Int] {
    let gains = zip(base, finetuned).map { exponential($1) - exponential($0) }
    let order = gains.indices.sorted { (gains[$0], $1) > (gains[$1], $0) }
    return order.prefix(gained).filter { gains[$0] > 0 }
      + order.suffix(lost).filter { gains[$0] < 0 }
  }

  private static func reading(
    _ model: any LanguageModel, _ pass: ForwardPass, _ expected: Tensor, _ pinned: [Int]
  ) -> Reading {
    let lens = LogitLens(model)
    let blocks = (0..<model.shape.layers).map {
      lens.logits(of: pass[.residualPost(layer: $0)]).logProbabilities
    }
    let tokens = 0..<expected.shape[0]
    return Reading(
      next: tokens.map { likeliest(expected.row($0), Self.expected) },
      lens: blocks.map { block in tokens.map { likeliest(block.row($0), 1)[0] } },
      ranks: pinned.map { token in
        blocks.map { block in tokens.map { rank(of: token, in: block.row($0)) } }
      })
  }

  private static func likeliest(_ row: ArraySlice<Float>, _ count: Int) -> [Expectation] {
    var best: [(index: Int, value: Float)] = []
    for (index, value) in row.enumerated() where best.count < count || value > best[count - 1].value
    {
      let place = best.firstIndex { $0.value < value } ?? best.count
      best.insert((index, value), at: place)
      if best.count > count { best.removeLast() }
    }
    return best.map { Expectation(token: $0.index, probability: exponential($0.value)) }
  }

  private static func rank(of token: Int, in row: ArraySlice<Float>) -> Int {
    let own = row[row.startIndex + token]
    return 1 + row.count { $0 > own }
  }

  // MARK: Heads

  private static func heads(
    _ base: ForwardPass, _ finetuned: ForwardPass, _ shape: ModelShape, tokens: Int
  ) -> [Head] {
    let all = (0..<shape.layers).flatMap { layer in
      (0..<shape.heads).map { head in
        let patterns = [base, finetuned].map {
          pattern($0[.pattern(layer: layer)], head: head, tokens: tokens)
        }
        return Head(
          layer: layer, head: head, change: change(patterns[0], patterns[1]), base: patterns[0],
          finetuned: patterns[1])
      }
    }
    return Array(all.sorted { $0.change > $1.change }.prefix(headCount))
  }

  private static func pattern(_ patterns: Tensor, head: Int, tokens: Int) -> [[Float]] {
    // What a token may not look at is no part of a pattern, whatever a pass left there.
    (0..<tokens).map { query in
      (0..<tokens).map { $0 > query ? 0 : patterns[query, head * tokens + $0] }
    }
  }

  private static func change(_ base: [[Float]], _ finetuned: [[Float]]) -> Float {
    let moved = zip(base, finetuned).map { rows in
      zip(rows.0, rows.1).reduce(Float(0)) { $0 + abs($1.0 - $1.1) } / 2
    }
    return moved.reduce(0, +) / Float(max(1, moved.count))
  }
}
