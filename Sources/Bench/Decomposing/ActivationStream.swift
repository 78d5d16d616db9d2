internal import Dictionaries
internal import Diffing
internal import Tensors
internal import Transformers

/// How text is read in parts.
package struct ReadingPlan: Sendable {
  /// Tokens of a sequence, at most: longer rows are cut.
  let sequenceLength: Int
  /// Sequences of a step.
  let batchSize: Int
  /// Steps, at most; nil for the whole text.
  let steps: Int?

  /// Sets what may be set.
  ///
  /// - Parameters:
  ///   - sequenceLength: Tokens of a sequence, at most; nil for the models' context.
  ///   - batchSize: Sequences of a step.
  ///   - steps: Steps, at most.
  ///   - context: The models' context.
  package init(sequenceLength: Int?, batchSize: Int, steps: Int?, context: Int) {
    self.sequenceLength = min(sequenceLength ?? context, context)
    self.batchSize = batchSize
    self.steps = steps
  }
}

/// Rows of text as sequences that a model reads a few at a time, so that the activations of a long text are never in
/// memory together.
struct ActivationStream: Sendable {
  /// A part of the text that is read at once.
  struct Part {
    let text: TokenBatch
    /// The tokens whose activations count, by their index in the part.
    let counted: [Int]
    /// Where each of them stands in the whole text.
    let sources: [ITDADictionary.Provenance]
  }

  /// A row, or a piece of one.
  private struct Sequence {
    let document: Int
    let start: Int
    let tokens: [Int]
  }

  /// What is read at once.
  private let parts: [[Sequence]]
  private let documentStart: Int?
  /// How many rows there are, read or not.
  let documents: Int

  init(_ rows: [[Int]], _ plan: ReadingPlan, documentStart: Int?) {
    documents = rows.count
    self.documentStart = documentStart
    let sequences = rows.enumerated().flatMap { row, tokens in
      stride(from: 0, to: tokens.count, by: plan.sequenceLength).map { start in
        Sequence(
          document: row, start: start,
          tokens: Array(tokens[start..<min(start + plan.sequenceLength, tokens.count)]))
      }
    }
    parts = Self.parts(sequences.prefix((plan.steps ?? .max).clamped(times: plan.batchSize)))
  }

  /// Tokens that are read at once, at most, unless one sequence alone has more.
  private static var tokensAtOnce: Int { 4096 }

  private static func parts(_ sequences: some Collection<Sequence>) -> [[Sequence]] {
    var parts: [[Sequence]] = [], count = 0
    for sequence in sequences {
      if parts.isEmpty || count + sequence.tokens.count > tokensAtOnce {
        parts.append([])
        count = 0
      }
      parts[parts.count - 1].append(sequence)
      count += sequence.tokens.count
    }
    return parts
  }

  /// Of how many tokens activations count.
  var count: Int { parts.reduce(0) { $0 + part($1).counted.count } }

  /// Hands over one part after the other.
  func forEach(_ body: (Part) throws -> Void) rethrows {
    for sequences in parts { try body(part(sequences)) }
  }

  /// As many parts as come to some number of tokens, evenly spread.
  func spread(tokens: Int) -> ActivationStream {
    let needed = max(1, min(parts.count, (tokens * parts.count + count - 1) / max(1, count)))
    return ActivationStream(
      parts: (0..<needed).map { parts[$0 * parts.count / needed] }, self)
  }

  private init(parts: [[Sequence]], _ other: ActivationStream) {
    self.parts = parts
    (documentStart, documents) = (other.documentStart, other.documents)
  }

  private func part(_ sequences: [Sequence]) -> Part {
    let text = TokenBatch(sequences.map(\.tokens))
    let prompts = PromptSet(
      access: .unrelated, text: text, documentStart: documentStart, specialTokens: [])
    let byRow = (0..<text.rows).map { prompts.countedTokens(ofRow: $0, in: text) }
    let sources = zip(sequences.indices, byRow).flatMap { row, tokens in
      tokens.map {
        ITDADictionary.Provenance(
          document: sequences[row].document,
          position: sequences[row].start + $0 - text.range(row).lowerBound)
      }
    }
    return Part(text: text, counted: byRow.flatMap { $0 }, sources: sources)
  }
}

extension LanguageModel {
  /// The residual streams after some blocks at the tokens of a part that count, block by block.
  func streams(after layers: [Int], of part: ActivationStream.Part) -> [Tensor] {
    let sites = layers.map { ActivationSite.residualPost(layer: $0) }
    let pass = forward(part.text, recording: Set(sites), logits: .none)
    return sites.map { pass[$0].rows(at: part.counted) }
  }
}

extension Int {
  /// A product that stays in range.
  fileprivate func clamped(times other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
