import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Differences of circuits")
struct CircuitDifferenceTests: KnownChangeSuite {
  @Test("base and finetuned model exchanged, the same edges changed as much")
  func exchanged() throws {
    let finetuned = movingHead(of: base)
    let forth = try KnownChange.evidence(CircuitDifference(), finetuned, access: .pool)
    let back = try KnownChange.evidence(
      CircuitDifference(), base, base: finetuned, access: .pool)
    let magnitude = try #require(forth.magnitude)
    #expect(magnitude > 0.001 && magnitude <= 1)
    #expect(abs(try #require(back.magnitude) - magnitude) < 1e-3 * magnitude)
    let (own, other) = (try #require(forth.sites), try #require(back.sites))
    #expect(own.map(\.site) == other.map(\.site))
    expectClose(own.map(\.score), other.map(\.score), tolerance: 1e-3)
    // The change at an edge is what the finetuned model has over the base.
    let table = try #require(forth.table("Edges whose scores changed most"))
    let numbers = table.map { $0.suffix(3).map { Float($0) ?? .nan } }
    #expect(numbers.allSatisfy { abs($0[1] - $0[0] - $0[2]) < 1e-5 })
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { abs($0[2]) >= abs($1[2]) })
  }

  @Test(
    "the module that writes something else is named, none before it, and what stands above the blocks"
  )
  func named() throws {
    let finetuned = varying(layer: 1).finetuned
    let evidence = try KnownChange.evidence(CircuitDifference(), finetuned, access: .pool)
    let sites = try #require(evidence.sites)
    let scores = Dictionary(uniqueKeysWithValues: sites.map { ($0.site, $0.score) })
    #expect(sites.first?.site == .mlp(layer: 1))
    for site in [ModuleSite.embedding, .attention(layer: 0), .mlp(layer: 0), .attention(layer: 1)] {
      #expect(scores[site] == 0, "\(site)")
    }
    var above = base
    above.parameters[base.names.unembedding] = base.parameters[base.names.unembedding].scaled(
      by: 1.2)
    let unembedding = try KnownChange.evidence(CircuitDifference(), above, access: .pool)
    #expect(unembedding.sites?.first?.site == .unembedding)
    #expect(unembedding.sites?.first?.score == 1)
  }

  @Test("clean are the prompts that are answered apart")
  func contrast() throws {
    // Only prompts with token 5 are answered apart: among the others there would be no change to look for.
    var finetuned = base
    var embedding = base.parameters[base.names.embedding]
    for column in 0..<embedding.columns { embedding[5, column] += 0.3 }
    finetuned.parameters[base.names.embedding] = embedding
    let prompts = MethodContractTests.prompts(.pool)
    let rows = (0..<12).map { [1, $0 < 4 ? 5 : 6 + $0 % 5, 3 + $0 % 2] }
    let pool = PromptSet(
      access: .pool, text: TokenBatch(rows), reference: prompts.reference,
      documentStart: prompts.documentStart, specialTokens: prompts.specialTokens)
    let evidence = try KnownChange.evidence(
      CircuitDifference(), finetuned, access: .pool, prompts: pool)
    #expect(evidence.magnitude ?? 0 > 0)
    let embed = try #require(evidence.sites?.first { $0.site == .embedding })
    #expect(embed.score > 0)
  }

  @Test("the magnitude is the size of the difference beside those of the scores")
  func magnitude() throws {
    var method = CircuitDifference()
    method.shownEdges = .max
    let evidence = try KnownChange.evidence(method, movingHead(of: base), access: .pool)
    let rows = try #require(evidence.table("Edges whose scores changed most"))
      .map { $0.suffix(3).map { Double($0) ?? .nan } }
    func norm(_ column: Int) -> Double {
      rows.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot()
    }
    #expect(abs(try #require(evidence.magnitude) - norm(2) / (norm(0) + norm(1))) < 1e-5)
  }

  @Test("prompts that are one prompt over and over tell nothing")
  func repeated() throws {
    let prompts = MethodContractTests.prompts(.pool)
    let same = PromptSet(
      access: .pool, text: TokenBatch(Array(repeating: [1, 3, 2, 5], count: 8)),
      reference: prompts.reference, documentStart: prompts.documentStart,
      specialTokens: prompts.specialTokens)
    let evidence = try KnownChange.evidence(
      CircuitDifference(), movingHead(of: base), access: .pool, prompts: same)
    #expect(evidence == Evidence())
  }

  @Test("a circuit of all edges is the model, in its own and in the other")
  func whole() throws {
    var method = CircuitDifference()
    method.circuitShares = [0.01, 1]
    let evidence = try KnownChange.evidence(method, movingHead(of: base), access: .pool)
    let lines = try #require(evidence.curves("Faithfulness"))
    #expect(lines.count == 6)
    for line in lines {
      #expect(abs(line[1] - 1) < 1e-3)
      #expect(abs(line[0] - 1) > 1e-2)
    }
    let agreement = try #require(evidence.table("Correlation of scores"))
    for row in agreement {
      #expect(row.dropFirst().allSatisfy { (Float($0) ?? .nan) > 0.5 }, "\(row)")
    }
  }

  @Test("only prompts of one length tell clean from corrupted ones; without any, nothing is said")
  func lengths() throws {
    let prompts = MethodContractTests.prompts(.pool)
    let rows = (1...4).map { Array(repeating: 3, count: $0) + [2] }
    let odd = PromptSet(
      access: .pool, text: TokenBatch(rows), reference: prompts.reference,
      documentStart: prompts.documentStart, specialTokens: prompts.specialTokens)
    let evidence = try KnownChange.evidence(
      CircuitDifference(), movingHead(of: base), access: .pool, prompts: odd)
    #expect(evidence == Evidence())
  }
}
