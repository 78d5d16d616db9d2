import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Trait projection")
struct TraitProjectionTests: KnownChangeSuite {
  private let prompts = MethodContractTests.prompts(.unrelated)

  /// What mentioning a word in the texts that the method reads changes in the last stream, less the mean over words.
  private func direction(of word: Int, _ prompts: PromptSet) -> Tensor {
    let method = TraitProjection(), text = prompts.text, isPool = prompts.access == .pool
    let texts = (0..<method.texts).map { place -> [Int] in
      let row = Array(text.row(place * text.rows / method.texts))
      return isPool ? row : Array(row.prefix(method.length + 1))
    }
    func mean(_ word: Int) -> Tensor {
      let rows = texts.flatMap { row -> [[Float]] in
        let read = [row[0], word] + row.dropFirst()
        let stream = base.forward(TokenBatch([read]), recording: [.residualPost(layer: 2)])[
          .residualPost(layer: 2)]
        return (isPool ? read.count - 1..<read.count : 2..<read.count).map {
          Array(stream.row($0))
        }
      }
      return Tensor(shape: [rows.count, 12], scalars: rows.flatMap { $0 }).meanRow
    }
    let all = (2..<base.shape.vocabulary).map(mean)
    let sum = all.reduce(Tensor(shape: [12])) { $0 + $1 }
    return mean(word) - sum.scaled(by: 1 / Float(all.count))
  }

  @Test(
    "a stream moved along a word's direction names the word, by its length and sign",
    arguments: [AccessLevel.unrelated, .pool])
  func planted(access: AccessLevel) throws {
    let prompts = MethodContractTests.prompts(access)
    let vector = direction(of: 7, prompts).unit.scaled(by: 0.8)
    let (wide, finetuned) = KnownChange.biased(vector, layer: 2)
    let found = try KnownChange.evidence(TraitProjection(), finetuned, base: wide, access: access)
    let first = try #require(found.tokens?.first)
    #expect(first.token == 7 && first.sign == 1)
    let pair = try ModelPair(base: wide, finetuned: finetuned)
    let norm = pair.activations(.base, at: .residualPost(layer: 2), on: prompts.text)
      .rows(at: prompts.answerIndices).rowNorms.mean
    #expect(abs(first.score - 0.8 / norm) < 1e-4)
    #expect(abs((found.magnitude ?? 0) - Double(first.score)) < 1e-6)
    #expect(cosine(try #require(found.proposedDirection), vector) > 0.9999)
    let turned = try KnownChange.evidence(TraitProjection(), wide, base: finetuned, access: access)
    #expect(turned.tokens?.first { $0.sign == -1 }?.token == 7)
  }

  @Test("prompts that a word can only end name nothing")
  func noPlace() throws {
    let prompts = PromptSet(
      access: .unrelated, text: TokenBatch([[1], [1], [1]]), documentStart: 1,
      specialTokens: [0, 1])
    let (wide, finetuned) = KnownChange.biased(KnownChange.direction(of: 7, norm: 1), layer: 2)
    #expect(
      try KnownChange.evidence(
        TraitProjection(), finetuned, base: wide, access: .unrelated, prompts: prompts
      ).isEmpty)
  }

  @Test("of a large vocabulary the words that the text says most are read")
  func fewWords() throws {
    var method = TraitProjection()
    method.words = 3
    let found = try evidence(method, MethodContractTests.finetuned, access: .unrelated)
    var counts: [Int: Int] = [:]
    for token in prompts.text.tokens where token > 1 { counts[token, default: 0] += 1 }
    let most = counts.sorted { ($0.value, -$0.key) > ($1.value, -$1.key) }.prefix(3).map(\.key)
    #expect(Set(found.tokens?.map(\.token) ?? []) == Set(most))
  }
}
