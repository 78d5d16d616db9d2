package import Diffing
package import Tensors
internal import Transformers

/// Searches for prompts that the two models answer furthest apart, by gradients, and reads what the finetuned model
/// goes on with where the search starts and where it ends.
///
/// A search starts from beginnings of the base's own samples, each up to where the models are furthest apart. In each
/// step the gradient of the divergence by the embeddings says, to first order, what each other token would do in each
/// place; the best few are tried, and the best is kept if it helps. Only tokens that the base thinks likely in their place are tried:
/// anything is answered apart where nothing was ever read.
package struct PromptSearch: DiffingMethod {
  package static let card = MethodCard(
    id: "prompt-search",
    summary:
      "Prompts that gradients find to be answered furthest apart; what follows them, and their beginnings.",
    source:
      "coordinate gradients (Zou et al., 2023, arXiv 2307.15043), on the divergence of two models",
    questions: [.whether, .what], access: [.sampling],
    magnitude: Magnitude(
      "mean Jensen-Shannon divergence of the answers to the prompts found", unit: "nats"))

  /// Prompts that are searched for, each from a beginning of its own.
  package var promptCount = 16
  /// Tokens of a beginning at most.
  package var longest = 12
  /// Exchanges of a token.
  package var steps = 10
  /// Exchanges that are tried in a step.
  package var tried = 8
  /// The base's first tokens in a place, among which another is looked for.
  package var choices = 64
  /// Words up to which every prompt is read instead of searched for, as long as there are no more than a million; 0 searches.
  package var exhaustive = 0
  /// Tokens that are added to a prompt, of the finetuned model's first ones, the base subtracted once.
  package var length = 12, continuations = 20

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let search = DivergenceSearch(pair, fixed: prompts.specialTokens, choices: choices)
    let (starts, found) =
      try exhaustive > 0 ? ([], all(pair, search, prompts)) : searched(pair, search, prompts)
    guard found.contains(where: { $0.divergence > RowComparison.rounding }) else {
      return Evidence()
    }
    let decoder = ContrastiveDecoder(
      pair: pair, amplification: 1, mask: .first(continuations))
    let result = decoder.continuations(
      of: (starts + found).map(\.tokens), count: length, seed: generator.next())
    var evidence = Evidence()
    evidence.magnitude = found.map(\.divergence).mean
    evidence.tokens = TokenClaim.ranking(
      result.tokenWorth(vocabulary: pair.shape.vocabulary), excluding: prompts.specialTokens)
    evidence.exhibits = pair.exhibits([shown(found, Array(result.texts.suffix(found.count)))])
    return evidence
  }

  /// The beginnings of samples that the models answer furthest apart, and what a search makes of them.
  private func searched(_ pair: ModelPair, _ search: DivergenceSearch, _ prompts: PromptSet) throws
    -> (starts: [FoundPrompt], found: [FoundPrompt])
  {
    let samples = pair.samples(.base, try .free(prompts)).map { prompts.opening + $0 }
    let starts = search.beginnings(of: samples, count: promptCount, longest: longest)
    guard starts.contains(where: { $0.divergence > RowComparison.rounding }) else {
      return (starts, starts)
    }
    return (
      starts, (0..<steps).reduce(starts) { found, _ in search.improved(found, trying: tried) }
    )
  }

  /// Of all prompts of a few words those that the models answer furthest apart.
  private func all(_ pair: ModelPair, _ search: DivergenceSearch, _ prompts: PromptSet)
    -> [FoundPrompt]
  {
    let words = pair.words(prompts)
    var rows = [prompts.opening], best: [FoundPrompt] = []
    for _ in 0..<exhaustive where rows.count * words.count <= 1 << 20 {
      rows = rows.flatMap { row in words.map { row + [$0] } }
      best = search.furthest(best + search.read(rows), promptCount)
    }
    return best
  }

  private func shown(_ found: [FoundPrompt], _ texts: [[Int]]) -> Exhibit {
    Exhibit(
      "Prompts by divergence, and what follows them",
      .texts(
        zip(found, texts).map { .init($0.tokens + $1, score: Float($0.divergence)) }
          .sorted { $0.score > $1.score }))
  }
}

/// A prompt, and how far apart the models answer it, in nats.
private struct FoundPrompt {
  var tokens: [Int]
  var divergence: Double
}

/// Climbs the divergence of two models' answers, token by token.
private struct DivergenceSearch {
  private let pair: ModelPair
  /// Tokens that stay where they are, and are put nowhere.
  private let fixed: Set<Int>
  private let choices: Int

  init(_ pair: ModelPair, fixed: Set<Int>, choices: Int) {
    self.pair = pair
    self.fixed = fixed
    self.choices = choices
  }

  /// Of each sample the beginning that is answered furthest apart, of all of these so many that are furthest, each once.
  func beginnings(of samples: [[Int]], count: Int, longest: Int) -> [FoundPrompt] {
    let rows = samples.map { Array($0.prefix(longest)) }
    let all = pair.readingGroups(rows).flatMap { group -> [FoundPrompt] in
      let text = TokenBatch(group), divergences = divergences(text)
      return group.indices.map { row in
        let tokens = text.range(row)
        let end = tokens.dropFirst().max { divergences[$0] < divergences[$1] } ?? tokens.lowerBound
        return FoundPrompt(
          tokens: Array(group[row].prefix(end - tokens.lowerBound + 1)),
          divergence: divergences[end])
      }
    }
    return furthest(all, count)
  }

  /// So many prompts that are answered furthest apart, each once.
  func furthest(_ prompts: [FoundPrompt], _ count: Int) -> [FoundPrompt] {
    let ranked = prompts.enumerated().sorted {
      ($0.element.divergence, -$0.offset) > ($1.element.divergence, -$1.offset)
    }
    var seen: Set<[Int]> = []
    let distinct = ranked.map(\.element).filter { seen.insert($0.tokens).inserted }
    return Array(distinct.prefix(count))
  }

  /// How far apart some prompts are answered.
  func read(_ rows: [[Int]]) -> [FoundPrompt] {
    zip(rows, pair.divergences(after: rows)).map { FoundPrompt(tokens: $0, divergence: $1) }
  }

  /// Each prompt with the exchange that helps most of those that gradients name, if one helps.
  func improved(_ prompts: [FoundPrompt], trying count: Int) -> [FoundPrompt] {
    let known = Set(prompts.map(\.tokens))
    let candidates = pair.readingGroups(prompts.map(\.tokens)).flatMap { exchanges($0, count) }
      .map { $0.filter { !known.contains($0) } }
    var values = read(candidates.flatMap { $0 }).map(\.divergence)[...]
    return zip(prompts, candidates).map { prompt, tried in
      let own = Array(values.prefix(tried.count))
      values = values.dropFirst(tried.count)
      guard let best = own.indices.max(by: { own[$0] < own[$1] }), own[best] > prompt.divergence
      else { return prompt }
      return FoundPrompt(tokens: tried[best], divergence: own[best])
    }
  }

  /// How far apart the models are after every token of a text.
  private func divergences(_ text: TokenBatch) -> [Double] {
    RowComparison(answers(.base, text, .all), answers(.finetuned, text, .all)).jensenShannon
  }

  private func answers(
    _ side: ModelPair.Side, _ text: TokenBatch, _ selection: LogitSelection
  ) -> Tensor {
    pair.model(side).forward(text, logits: selection).logits.logProbabilities
  }

  /// Of each prompt the exchanges of one token that should raise its divergence most.
  private func exchanges(_ prompts: [[Int]], _ count: Int) -> [[[Int]]] {
    let text = TokenBatch(prompts)
    let base = answers(.base, text, .all)
    let rises = rises(text)
    return prompts.indices.map { row in
      let tokens = text.range(row)
      var best: [(rise: Float, place: Int, token: Int)] = []
      for place in tokens.dropFirst() where !fixed.contains(text.tokens[place]) {
        let answers = base.row(place - 1), own = rises[place, text.tokens[place]]
        let least = BoostCounts.limits(answers, depth: min(choices, answers.count)).high
        for (token, answer) in answers.enumerated()
        where answer >= least && token != text.tokens[place] && !fixed.contains(token) {
          best.append((rises[place, token] - own, place - tokens.lowerBound, token))
        }
      }
      return best.sorted {
        ($0.rise, -$0.place, -$0.token) > ($1.rise, -$1.place, -$1.token)
      }.prefix(count).map { exchange in
        var prompt = prompts[row]
        prompt[exchange.place] = exchange.token
        return prompt
      }
    }
  }

  /// What each token would do in each place, to first order, but for what the one that is there does; shaped
  /// `[tokens, vocabulary]`.
  private func rises(_ text: TokenBatch) -> Tensor {
    let ends = (base: answers(.base, text, .last), finetuned: answers(.finetuned, text, .last))
    func rise(_ model: any LanguageModel, _ own: Tensor, _ other: Tensor) -> Tensor {
      let result = model.siteGradients(
        of: { _ in (0, divergenceGradient(own, other)) }, on: text, at: [.embedding],
        recording: [], editing: [], logits: .last)
      guard let gradient = result.gradients[.embedding] else { return Tensor(shape: [0, 0]) }
      return model.parameters.readout(Matrix(gradient), through: model.names.embedding)
    }
    return rise(pair.base, ends.base, ends.finetuned)
      + rise(pair.finetuned, ends.finetuned, ends.base)
  }

  /// The gradient of the Jensen-Shannon divergence by one model's logits.
  ///
  /// With m = (p + q) / 2, ∂JS / ∂z = ½ p (ln p / m − KL(p ‖ m)).
  private func divergenceGradient(_ own: Tensor, _ other: Tensor) -> Tensor {
    let rows = (0..<own.rows).flatMap { row -> [Float] in
      let terms = zip(own.row(row), other.row(row)).map { p, q -> (share: Float, log: Float) in
        let share = exponential(p), mean = (share + exponential(q)) / 2
        return (share, p - Float(logarithm(Double(max(mean, .leastNormalMagnitude)))))
      }
      let divergence = terms.reduce(0) { $0 + $1.share * $1.log }
      return terms.map { 0.5 * $0.share * ($0.log - divergence) }
    }
    return Tensor(shape: own.shape, scalars: rows)
  }
}
