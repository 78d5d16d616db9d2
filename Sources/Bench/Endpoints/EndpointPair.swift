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
    /// What is to be known of how they were drawn, each in a sentence.
    let notices: [String]
  }

  private let base, finetuned: EndpointClient
  private let prompts: [String]
  private let seed: UInt64
  private let jobs: Int
  private let progress: @Sendable (Int, Int) -> Void
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

  /// What a method said, with what its tokens and rows mean.
  package struct Reply: Sendable {
    package let evidence: Evidence
    package let tokenizer: any Tokenizer
    /// The prompts, which input claims refer to.
    package let prompts: TokenBatch
    /// What is to be known of the answers, each in a sentence.
    package let notices: [String]
  }

  /// Asks both models what a method wants to know.
  ///
  /// - Throws: `EndpointFault`.
  package func reply(to method: some AnswerMethod) throws -> Reply {
    let texts = try texts(method.plan)
    var words = AnswerWords()
    func cut(_ answers: [[String]]) -> [[[Int]]] {
      answers.map { $0.map { words.tokens($0, atMost: method.plan.length) } }
    }
    let (base, finetuned) = (cut(texts.base), cut(texts.finetuned))
    // Words of prompts come last: what nobody answered is no hypothesis.
    let vocabulary = words.count
    let rows = prompts.map { words.tokens($0) }
    var generator = SeededGenerator(seed: seed, for: "\(method.card.id) of endpoints")
    let evidence = method.evidence(
      of: PairedAnswers(
        rows: texts.rows, prompts: texts.rows.map { rows[$0] }, base: base, finetuned: finetuned,
        vocabulary: vocabulary, specialTokens: []), using: &generator)
    return Reply(
      evidence: evidence, tokenizer: words.tokenizer, prompts: TokenBatch(rows),
      notices: texts.notices)
  }

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
    do {
      return try asked(plan)
    } catch is EndpointClient.TermsChanged {
      // Both are asked anew on the same terms.
      return try asked(plan)
    }
  }

  private func asked(_ plan: AnswerPlan) throws -> Texts {
    let rows = plan.rows(of: prompts.count), gathered = Gathered()
    // Both models' answers to a prompt are two places.
    whileWaiting(2 * rows.count, jobs: jobs) { [self] place in
      guard gathered.fault == nil else { return }
      let client = place % 2 == 0 ? base : finetuned
      do {
        let answers = try client.answers(
          to: .init(prompts[rows[place / 2]], answers: plan.answers, length: plan.length),
          seed: seed(of: place, plan))
        progress(gathered.add(answers, at: place) / 2, rows.count)
      } catch {
        // Nobody waits for the other model then.
        if gathered.end(error), error is EndpointFault {
          [base, finetuned].forEach { $0.terms.stop() }
        }
      }
    }
    if let fault = gathered.fault { throw fault }
    let said = (0...1).map { side in rows.indices.map { gathered.texts(at: 2 * $0 + side) } }
    return Texts(rows: rows, base: said[0], finetuned: said[1], notices: notices(said))
  }

  /// Answers as they come, from any thread.
  private final class Gathered: Sendable {
    private let state = Mutex<(texts: [Int: [String]], fault: (any Error)?)>(([:], nil))

    var fault: (any Error)? { state.withLock { $0.fault } }

    func texts(at place: Int) -> [String] { state.withLock { $0.texts[place] ?? [] } }

    /// Returns how many places have answers.
    func add(_ texts: [String], at place: Int) -> Int {
      state.withLock { state in
        state.texts[place] = texts
        return state.texts.count
      }
    }

    /// Returns whether it is the first fault.
    func end(_ fault: any Error) -> Bool {
      state.withLock { state in
        defer { state.fault = state.fault ?? fault }
        return state.fault == nil
      }
    }
  }

  /// What speaks against taking answers for independent draws.
  private func notices(_ said: [[[String]]]) -> [String] {
    let plain =
      base.terms.isPlain
      ? ["One of the servers refuses a number of answers or a seed: both are asked without them."]
      : []
    return plain
      + zip([base, finetuned], said).compactMap { client, answers in
        let alike = answers.count { $0.count > 1 && Set($0).count == 1 }
        guard alike * 10 > answers.count * 9 else { return nil }
        return
          "\(client.description) gives the same answer each time to \(alike) of \(answers.count) prompts, as where a "
          + "temperature is ignored or one draw is copied: chances and words hold for independent answers alone."
      }
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

  /// A text cut into words of letters and digits, and all other characters that are no white space each on its own; so are
  /// those of scripts that put no blanks between words.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - limit: How many words are taken.
  mutating func tokens(_ text: String, atMost limit: Int = .max) -> [Int] {
    var tokens: [Int] = [], word = ""
    for character in text {
      guard tokens.count < limit else { return tokens }
      if Self.isOfWord(character) {
        word.append(character)
        continue
      }
      if !word.isEmpty { tokens.append(id(word)) }
      word = ""
      if !character.isWhitespace { tokens.append(id(String(character))) }
    }
    if !word.isEmpty, tokens.count < limit { tokens.append(id(word)) }
    return Array(tokens.prefix(limit))
  }

  private static func isOfWord(_ character: Character) -> Bool {
    guard let scalar = character.unicodeScalars.first, !standsAlone(scalar.value) else {
      return false
    }
    return character.isLetter || character.isNumber || character == "_"
  }

  /// Thai, Lao, Burmese, Khmer, Kana and Han.
  private static func standsAlone(_ scalar: UInt32) -> Bool {
    [
      0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3040...0x30FF, 0x3400...0x9FFF,
      0xF900...0xFAFF, 0x20000...0x3FFFF,
    ].contains { $0.contains(scalar) }
  }

  private mutating func id(_ word: String) -> Int {
    // Words that look alike are one, however they are spelt in Unicode: a string's own equality.
    if let known = ids[word] { return known }
    ids[word] = words.count
    words.append(word)
    return words.count - 1
  }
}
