internal import Dictionaries
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
    /// Whether it is a row of a single token, which has no other to count.
    let isAlone: Bool
  }

  /// What is read at once.
  private let parts: [[Sequence]]
  private let rows: [[Int]]
  private let sequenceLength: Int
  private let documentStart: Int?

  init(_ rows: [[Int]], _ plan: ReadingPlan, documentStart: Int?) {
    self.rows = rows
    sequenceLength = plan.sequenceLength
    self.documentStart = documentStart
    let sequences = rows.enumerated().flatMap { row, tokens in
      stride(from: 0, to: tokens.count, by: plan.sequenceLength).map { start in
        Sequence(
          document: row, start: start,
          tokens: Array(tokens[start..<min(start + plan.sequenceLength, tokens.count)]),
          isAlone: tokens.count == 1)
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
  var count: Int { parts.joined().reduce(0) { $0 + counted($1).count } }

  /// How many rows are read that have a token that counts.
  var documents: Int {
    Set(parts.joined().filter { !counted($0).isEmpty }.map(\.document)).count
  }

  /// The last tokens that were read up to a place, at most so many.
  func context(_ place: ITDADictionary.Provenance, length: Int) -> [Int] {
    let start = place.position / sequenceLength * sequenceLength
    return Array(rows[place.document][start...place.position].suffix(length))
  }

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
    rows = other.rows
    (sequenceLength, documentStart) = (other.sequenceLength, other.documentStart)
  }

  private func part(_ sequences: [Sequence]) -> Part {
    let text = TokenBatch(sequences.map(\.tokens)), byRow = sequences.map(counted)
    let sources = zip(sequences, byRow).flatMap { sequence, places in
      places.map {
        ITDADictionary.Provenance(document: sequence.document, position: sequence.start + $0)
      }
    }
    let all = byRow.enumerated().flatMap { row, places in
      places.map { text.starts[row] + $0 }
    }
    return Part(text: text, counted: all, sources: sources)
  }

  /// The tokens of a sequence that count: not what starts a document, nor a sequence's first, on which attention rests
  /// (see `PromptSet.countedTokens`), unless it is a whole row.
  private func counted(_ sequence: Sequence) -> [Int] {
    sequence.tokens.indices.filter {
      sequence.tokens[$0] != documentStart && ($0 > 0 || sequence.isAlone)
    }
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
