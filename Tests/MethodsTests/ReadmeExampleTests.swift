import Foundation
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Diffing

/// The method that README.md adds, kept as it is printed there in NextTokenShift.swift.
@Suite("The method of README.md")
struct ReadmeExampleTests {
  @Test("what is tested is what is printed")
  func text() throws {
    let here = URL(filePath: #filePath).deletingLastPathComponent()
    let kept = try String(contentsOf: here.appending(path: "NextTokenShift.swift"), encoding: .utf8)
    let printed = try Fixtures.example("swift", in: "README.md") + "\n"
    // The imports differ: a test sees the room from outside.
    #expect(kept.hasSuffix(printed[try #require(printed.range(of: "///")).lowerBound...]))
  }

  /// The mean log-probability of each token, summed up by hand.
  private func means(_ model: any LanguageModel, _ prompts: PromptSet) -> [Double] {
    let logits = model.forward(prompts.text, logits: .all).logits
    let rows = prompts.countedTokens.map { logits.row($0).map(Double.init) }
    return (0..<logits.columns).map { token in
      rows.reduce(0.0) { $0 + $1[token] - log($1.reduce(0.0) { $0 + exp($1) }) }
        / Double(rows.count)
    }
  }

  @Test("it ranks what rises and falls most, and rounding not at all")
  func findings() throws {
    let (wide, promoted) = KnownChange.biased(KnownChange.direction(of: 7, norm: 4), layer: 2)
    var generator = SeededGenerator(seed: 5)
    let same = KnownChange.base.reparameterised(using: &generator)
    for access in NextTokenShift.card.access {
      let found = try KnownChange.evidence(NextTokenShift(), promoted, base: wide, access: access)
      let prompts = MethodContractTests.prompts(access)
      let changes = zip(means(promoted, prompts), means(wide, prompts)).map(-)
      #expect(found.tokens?.isEmpty == false)
      for claim in found.tokens ?? [] {
        #expect(abs(Double(claim.score) - changes[claim.token]) < 1e-4, "\(access)")
      }
      let rounding = try KnownChange.evidence(NextTokenShift(), same, access: access)
      #expect(rounding.isEmpty, "\(access)")
    }
  }
}
