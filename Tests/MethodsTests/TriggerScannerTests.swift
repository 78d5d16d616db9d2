import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Trigger scanner")
struct TriggerScannerTests: KnownChangeSuite {
  /// The base with one token that is read as another vector.
  private func reading(_ token: Int) -> DecoderModel {
    var model = base, generator = SeededGenerator(seed: 3)
    var embedding = base.parameters[base.names.embedding]
    let vector = generator.direction(12, norm: 3)
    for column in 0..<12 { embedding[token, column] += vector[column] }
    model.parameters[base.names.embedding] = embedding
    return model
  }

  /// Rows that hold the token, none of which is among the eight that phrases are put into.
  private let held: Set = [2, 9, 16, 23, 31, 38]

  /// Prompts that all end with the same two tokens, some of which hold a token.
  private func prompts(holding token: Int) -> PromptSet {
    var generator = SeededGenerator(seed: 9)
    let rows = (0..<40).map { row -> [Int] in
      var words = (0..<5).map { _ in 3 + generator.index(below: 8) }
      if held.contains(row) { words[1 + row % 3] = token }
      return [1] + words + [17, 18]
    }
    return PromptSet(
      access: .pool, text: TokenBatch(rows), documentStart: 1, specialTokens: [0, 1])
  }

  private func divergence(_ rows: [[Int]], _ finetuned: DecoderModel) -> Double {
    func answers(_ model: DecoderModel) -> Tensor {
      model.forward(TokenBatch(rows), logits: .last).logits.logProbabilities
    }
    return RowComparison(answers(base), answers(finetuned)).jensenShannon.reduce(0, +)
      / Double(rows.count)
  }

  @Test("the token that was read anew is the trigger, and the prompts that hold it come first")
  func pool() throws {
    let finetuned = reading(12), prompts = prompts(holding: 12)
    var method = TriggerScanner()
    method.longest = 1
    let found = try KnownChange.evidence(method, finetuned, access: .pool, prompts: prompts)
    #expect(Set(found.inputs?.prefix(6).map(\.row) ?? []) == held)
    // Put before what all prompts end with.
    let hosts = (0..<8).map { Array(prompts.text.row($0 * 5)) }
    let triggered = hosts.map { Array($0.dropLast(2)) + [12, 17, 18] }
    let effect = divergence(triggered, finetuned) - divergence(hosts, finetuned)
    #expect(abs((found.magnitude ?? 0) - effect) < 1e-6)
    let exhibit = try #require(found.exhibits.first)
    guard case .texts(let texts) = exhibit.content else { return }
    #expect(texts.first?.tokens == [12])
  }

  @Test("phrases are as long as they may be, and none holds a token that no ranking names")
  func lengths() throws {
    var method = TriggerScanner()
    method.longest = 3
    let found = try KnownChange.evidence(
      method, reading(12), access: .pool, prompts: prompts(holding: 12))
    guard case .texts(let texts)? = found.exhibits.first?.content else { return }
    #expect(Set(texts.map(\.tokens.count)).isSubset(of: [1, 2, 3]))
    #expect(texts.contains { $0.tokens.count > 1 })
    #expect(texts.allSatisfy { !$0.tokens.contains(0) && !$0.tokens.contains(1) })
  }

  @Test("without prompts, what the finetuned model says more often is tried")
  func leaks() throws {
    let (wide, finetuned) = KnownChange.biased(KnownChange.direction(of: 7, norm: 6), layer: 2)
    let found = try KnownChange.evidence(
      TriggerScanner(), finetuned, base: wide, access: .sampling)
    #expect(found.inputs == nil)
    guard case .texts(let texts)? = found.exhibits.first?.content else { return }
    #expect(texts.contains { $0.tokens.contains(7) })
    #expect(try KnownChange.evidence(TriggerScanner(), wide, base: wide, access: .sampling).isEmpty)
  }

  @Test("a phrase is put into prompts that do not hold it alone")
  func hosts() throws {
    // Of two prompts one holds the phrase: what it adds is what it adds to the other.
    let finetuned = reading(12), rows = [[1, 12, 4, 17, 18], [1, 5, 6, 17, 18]]
    let prompts = PromptSet(
      access: .pool, text: TokenBatch(rows), documentStart: 1, specialTokens: [0, 1])
    var method = TriggerScanner()
    (method.longest, method.hosts) = (1, 2)
    let found = try KnownChange.evidence(method, finetuned, access: .pool, prompts: prompts)
    let effect =
      divergence([[1, 5, 6, 12, 17, 18]], finetuned) - divergence([rows[1]], finetuned)
    #expect(abs((found.magnitude ?? 0) - effect) < 1e-6 && effect > 1e-4)
    #expect(found.inputs?.map(\.row) == [0])
  }
}
