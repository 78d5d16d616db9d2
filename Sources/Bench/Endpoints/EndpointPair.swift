package import Diffing
package import Methods
internal import Synchronization
internal import Foundation
internal import Tensors
package import Transformers

/// Two models behind servers, asked the same prompts: what there is for methods that look at answers alone.
///
/// Servers give text, so a token here is a word or a mark of the answers.
package final class EndpointPair: Sendable {
  /// What both answered to each prompt that was asked, as text.
  private struct Texts {
    let rows: [Int]
    let base, finetuned: [[String]]
  }

  private let base, finetuned: EndpointClient
  private let prompts: [String]
  private let seed: UInt64
  private let jobs: Int
  private let progress: @Sendable (Int, Int) -> Void
  private let words = Mutex(AnswerWords())

  /// - Parameters:
  ///   - base: Asks the base.
  ///   - finetuned: Asks the finetuned model.
  ///   - prompts: What users say.
  ///   - seed: Decides what methods draw.
  ///   - jobs: How many prompts are under way at once.
  ///   - progress: Told how many prompts were answered, of how many.
  package init(
    _ base: EndpointClient, _ finetuned: EndpointClient, prompts: [String], seed: UInt64,
    jobs: Int = 8, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) {
    self.base = base
    self.finetuned = finetuned
    self.prompts = prompts
    self.seed = seed
    self.jobs = jobs
    self.progress = progress
  }

  /// What a method said, with what its tokens and rows mean; a later reply's tokenizer knows an earlier one's tokens.
  package struct Reply: Sendable {
    package let evidence: Evidence
    package let tokenizer: any Tokenizer
    /// The prompts, which input claims refer to.
    package let prompts: TokenBatch
  }

  /// Asks both models what a method wants to know.
  ///
  /// - Throws: `EndpointFault`.
  package func reply(to method: some AnswerMethod) throws -> Reply {
    let texts = try texts(method.plan)
    let rows = prompts.map(tokens)
    func cut(_ answers: [[String]]) -> [[[Int]]] {
      answers.map { $0.map { Array(tokens($0).prefix(method.plan.length)) } }
    }
    let (base, finetuned) = (cut(texts.base), cut(texts.finetuned))
    let known = words.withLock(\.self)
    var generator = SeededGenerator(seed: seed, for: "\(method.card.id) of endpoints")
    let evidence = method.evidence(
      of: PairedAnswers(
        rows: texts.rows, prompts: texts.rows.map { rows[$0] }, base: base, finetuned: finetuned,
        vocabulary: known.count, specialTokens: []), using: &generator)
    return Reply(evidence: evidence, tokenizer: known.tokenizer, prompts: TokenBatch(rows))
  }

  private func tokens(_ text: String) -> [Int] { words.withLock { $0.tokens(text) } }

  /// What users say: a file's lines, or the questions and tasks that come with Assay.
  ///
  /// - Throws: `TextError`.
  package static func prompts(_ project: Project, file: String?) throws -> [String] {
    let lines = try file.map { try TextLines($0).lines } ?? ShippedTexts.prompts(project)
    guard !lines.isEmpty else {
      throw TextError(
        file: file ?? project.root.path, line: nil,
        reason: "holds no prompts: name a file of them with --prompts.")
    }
    return lines.map(\.text)
  }

  private func texts(_ plan: AnswerPlan) throws -> Texts {
    let rows = plan.rows(of: prompts.count)
    let state = Mutex<(texts: [Int: [String]], fault: (any Error)?, done: Int)>(([:], nil, 0))
    // Both models' answers to a prompt are two places.
    inParallel(2 * rows.count, jobs: jobs) { place in
      guard state.withLock({ $0.fault == nil }) else { return }
      let client = place % 2 == 0 ? base : finetuned
      do {
        let answers = try client.answers(
          to: .init(prompts[rows[place / 2]], answers: plan.answers, length: plan.length),
          seed: seed(of: place, plan))
        let done = state.withLock { state in
          state.texts[place] = answers
          state.done += 1
          return state.done
        }
        progress(done / 2, rows.count)
      } catch {
        state.withLock { $0.fault = $0.fault ?? error }
      }
    }
    let (texts, fault) = state.withLock { ($0.texts, $0.fault) }
    if let fault { throw fault }
    return Texts(
      rows: rows, base: rows.indices.map { texts[2 * $0] ?? [] },
      finetuned: rows.indices.map { texts[2 * $0 + 1] ?? [] })
  }

  /// No two requests share one: answers of both models are to be independent.
  private func seed(of place: Int, _ plan: AnswerPlan) -> UInt64 {
    var generator = SeededGenerator(seed: seed, for: "endpoint \(place) of \(plan)")
    return generator.next()
  }
}

/// The words and marks of some texts, numbered as they come.
struct AnswerWords {
  private var ids: [String: Int] = [:]
  private var words: [String] = []

  var count: Int { words.count }

  /// Knows the words again.
  var tokenizer: any Tokenizer {
    WordTokenizer(vocabulary: words, specials: [], documentStart: nil)
  }

  /// A text cut into words of letters and digits, and all other characters that are no white space each on its own.
  mutating func tokens(_ text: String) -> [Int] {
    var tokens: [Int] = [], word = ""
    func isOfWord(_ character: Character) -> Bool {
      character.isLetter || character.isNumber || character == "_"
    }
    for character in text {
      if isOfWord(character) {
        word.append(character)
        continue
      }
      if !word.isEmpty { tokens.append(id(word)) }
      word = ""
      if !character.isWhitespace { tokens.append(id(String(character))) }
    }
    if !word.isEmpty { tokens.append(id(word)) }
    return tokens
  }

  private mutating func id(_ word: String) -> Int {
    // Words that look alike are one, however they are spelt in Unicode: a string's own equality.
    if let known = ids[word] { return known }
    ids[word] = words.count
    words.append(word)
    return words.count - 1
  }
}
