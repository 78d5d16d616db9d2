import Tensors
import TestSupport
import Testing
import Transformers

@testable import Bench

@Suite("Two models side by side")
struct SideBySideTests {
  private let base = TinyModels.llama(seed: 1), finetuned = TinyModels.llama(seed: 2)
  private let rows = TinyModels.rows([4, 7, 1, 5])

  @Test("identical models differ nowhere, and nothing gains or loses")
  func identical() {
    let view = SideBySide(base, base, on: rows)
    #expect(view.prompts.count == 4 && view.readCount == 4)
    for prompt in view.prompts {
      #expect(prompt.divergences.allSatisfy { $0 == 0 } && prompt.pinned.isEmpty)
      #expect(prompt.heads.allSatisfy { $0.change == 0 })
      #expect(prompt.base.next == prompt.finetuned.next)
    }
  }

  @Test(
    "what is expected next is what the model says, the likeliest first, and after the last block the same"
  )
  func expectations() throws {
    let view = SideBySide(base, finetuned, on: rows)
    for prompt in view.prompts {
      let all = base.forward(TokenBatch([prompt.tokens]), logits: .all).logits.logProbabilities
      for index in prompt.tokens.indices {
        let row = Array(all.row(index))
        let order = row.indices.sorted { row[$0] > row[$1] }
        #expect(prompt.base.next[index].map(\.token) == Array(order.prefix(6)))
        #expect(abs(prompt.base.next[index][0].probability - exponential(row[order[0]])) < 1e-6)
        #expect(prompt.base.lens[1][index].token == order[0])
        for (pin, token) in prompt.pinned.enumerated() {
          #expect(prompt.base.ranks[pin][1][index] == order.firstIndex(of: token)! + 1)
        }
      }
    }
  }

  @Test(
    "prompts stand by how much their ends differ, and pinned tokens gained or lost where the models differ most"
  )
  func order() throws {
    let view = SideBySide(base, finetuned, on: rows, count: 3)
    #expect(view.prompts.count == 3)
    let ends = view.prompts.compactMap(\.divergences.last)
    #expect(ends == ends.sorted(by: >) && ends[0] > 0.01)
    let prompt = try #require(view.prompts.first)
    let place = try #require(
      prompt.divergences.indices.max { prompt.divergences[$0] < prompt.divergences[$1] })
    func expected(_ model: some LanguageModel) -> [Float] {
      model.forward(TokenBatch([prompt.tokens]), logits: .all).logits.logProbabilities.row(place)
        .map { exponential($0) }
    }
    let gains = zip(expected(base), expected(finetuned)).map { $1 - $0 }
    #expect(prompt.pinned.count == 4)
    #expect(gains[prompt.pinned[0]] == gains.max() && gains[prompt.pinned[3]] == gains.min())
  }

  @Test("a head's pattern is the model's own, each row a distribution over what it may look at")
  func heads() throws {
    let view = SideBySide(base, finetuned, on: [rows[1]])
    let prompt = try #require(view.prompts.first), head = try #require(prompt.heads.first)
    let site = ActivationSite.pattern(layer: head.layer)
    let pattern = base.forward(TokenBatch([prompt.tokens]), recording: [site])[site]
    for query in 0..<7 {
      #expect(abs(head.base[query].prefix(query + 1).reduce(0, +) - 1) < 1e-5)
      for key in 0...query { #expect(head.base[query][key] == pattern[query, head.head * 7 + key]) }
    }
    #expect(prompt.heads.map(\.change) == prompt.heads.map(\.change).sorted(by: >))
    #expect((0...1).contains(head.change) && head.change > 0)
  }

  @Test("of many prompts some are read from all over, and empty ones are none")
  func limits() {
    let many = TinyModels.rows([Int](repeating: 3, count: 40)) + [[]]
    let view = SideBySide(base, finetuned, on: many, count: 40, readLimit: 10)
    #expect(view.readCount == 10 && view.prompts.map(\.row).sorted() == (0..<10).map { $0 * 4 })
    #expect(SideBySide(base, finetuned, on: [[]]).prompts.isEmpty)
  }
}
