import Diffing
import Foundation
import Organisms
import Testing
import Transformers

@testable import Scoring

/// Two models of 20 tokens that are asked 64 prompts: token 7 is likelier behind some of them, and one module brings it.
private final class ScriptedWitness: Witness {
  let prompts: [[Int]]
  let candidates = Array(2..<20)
  let modules: [ModuleSite] = (0..<2).flatMap { [.attention(layer: $0), .mlp(layer: $0)] }
  private let planted: (Int) -> Float
  private(set) var asked: [WitnessQuestion] = []

  /// - Parameter planted: How much likelier token 7 is behind a prompt.
  init(
    prompts: [[Int]] = (0..<64).map { [$0 / 8, 100 + $0] }, planted: @escaping (Int) -> Float
  ) {
    self.prompts = prompts
    self.planted = planted
  }

  func answer(_ question: WitnessQuestion) -> WitnessAnswer {
    asked.append(question)
    var finetuned = [Float](repeating: 0.25, count: 20)
    let share: Float =
      switch question {
      case .exchange(_, let module): module == .mlp(layer: 1) ? 0.9 : 0.05
      default: 1
      }
    finetuned[7] += share * planted(question.row)
    return WitnessAnswer(base: [Float](repeating: 0.25, count: 20), finetuned: finetuned)
  }
}

@Suite("An investigator")
struct InvestigationTests {
  // MARK: Beliefs

  @Test(
    "an answer is worth its likelihood ratio, and one that shows nothing costs little")
  func worth() {
    #expect(abs(Belief.worth(0) - log(0.7)) < 1e-12)
    #expect(abs(Belief.worth(-1) - log(0.7)) < 1e-12)
    // p(x) = s / (π (x² + s²)) with s = .003.
    let noise = 0.003 / (Double.pi * (0.25 + 9e-6))
    #expect(abs(Belief.worth(0.5) - log(0.7 + 0.3 / noise)) < 1e-12)
    // One clear prompt outweighs a dozen that show nothing.
    #expect(Belief.worth(0.9) + 12 * Belief.worth(0) > 0)
  }

  @Test(
    "half of all belief is in nothing, the rest by Zipf's law over claims, a part untouched")
  func priors() throws {
    let claims: [Belief.Hypothesis] = [.init(token: 5, sign: 1), .init(token: 6, sign: 1)]
    let belief = Belief(candidates: [4, 5, 6, 7], claims: [claims])
    #expect(abs(belief.probabilityOfNothing - 0.5) < 1e-12)
    let best = belief.best(8)
    #expect(best.count == 8 && best[0].hypothesis == claims[0] && best[1].hypothesis == claims[1])
    let even = 0.3 / 8
    #expect(abs(best[0].probability - 0.5 * (even + 0.7 * 2 / 3)) < 1e-12)
    #expect(abs(best[1].probability - 0.5 * (even + 0.7 / 3)) < 1e-12)
    #expect(abs(best[2].probability - 0.5 * even) < 1e-12)
    let sum = best.reduce(belief.probabilityOfNothing) { $0 + $1.probability }
    #expect(abs(sum - 1) < 1e-12)
  }

  @Test(
    "a claim that is repeated, or of no candidate, counts nothing; without claims all are alike")
  func shares() {
    let shares = ZipfShares([[3, 3, 9, 4]], among: [3, 4])
    #expect(abs(shares.share(of: 3, untouched: 0) - 2.0 / 3) < 1e-12)
    #expect(abs(shares.share(of: 4, untouched: 0) - 1.0 / 3) < 1e-12)
    #expect(ZipfShares([[9]], among: [3, 4]).share(of: 3, untouched: 0) == 0.5)
    // Two rankings count alike, each in its own order.
    let both = ZipfShares([[3, 4], [4, 3]], among: [3, 4])
    #expect(both.share(of: 3, untouched: 0) == 0.5)
  }

  @Test("answers move beliefs by Bayes' rule, in the direction that they show")
  func updates() {
    var belief = Belief(candidates: [0, 1], claims: [])
    belief.update(WitnessAnswer(base: [0.5, 0.5], finetuned: [0.7, 0.3]))
    let best = belief.best(2).map(\.hypothesis)
    #expect(Set(best) == [.init(token: 0, sign: 1), .init(token: 1, sign: -1)])
    let shown = exp(Belief.worth(Double(Float(0.7) - 0.5))), not = 0.7
    let nothing = 1 / (1 + (2 * shown + 2 * not) / 4)
    #expect(abs(belief.probabilityOfNothing - nothing) < 1e-6)
  }

  @Test("a module that brings the change is believed, one that brings none is not")
  func sites() {
    var sites = SiteBelief(
      modules: [.mlp(layer: 0), .mlp(layer: 1)], claims: [[.mlp(layer: 0)]])
    #expect(sites.ranked.first?.module == .mlp(layer: 0))
    sites.update(.mlp(layer: 0), bringing: 0)
    sites.update(.mlp(layer: 1), bringing: 1)
    let best = sites.ranked[0]
    // Odds of (.15 · .1 · e¹⁰) to (.85 · .1).
    let odds = 0.15 * 0.1 * exp(10) / (0.85 * 0.1)
    #expect(best.module == .mlp(layer: 1))
    #expect(abs(best.probability - odds / (1 + odds)) < 1e-9)
  }

  // MARK: Inquiries

  @Test(
    "a plant is found alone, on other prompts than those that suggested it, with its module")
  func finding() throws {
    let witness = ScriptedWitness { $0 / 8 == 3 ? 0.6 : 0 }
    let finding = try Investigator(budget: 48).finding([], witness, notesSteps: true)
    #expect(finding.hypothesis == .init(token: 7, sign: 1))
    #expect(finding.site == .mlp(layer: 1))
    #expect(finding.row.map { $0 / 8 } == 3)
    #expect(witness.asked.count == 48, "four modules are all that can be exchanged")
    let rows = witness.asked.prefix(44).map(\.row)
    #expect(Set(rows).count == 44)
    let tests = finding.steps.filter { $0.purpose == .test }
    let worth = tests.reduce(0) { $0 + Belief.worth(Double($1.gain)) }
    #expect(tests.count == 20)
    #expect(abs((finding.strength ?? 0) - worth) < 1e-6)
    #expect(worth > 5, "those most like the prompt that showed it are asked first")
  }

  @Test("where nothing moves, what leads is not strengthened by the test")
  func nothing() throws {
    let nothing = try Investigator(budget: 12).finding([], ScriptedWitness { _ in 0 })
    #expect(nothing.hypothesis == nil && nothing.strength == nil, "no token moved")
    // What is explored, on the first half of the prompts that are asked, is a whiff.
    let whiff = ScriptedWitness { [0, 32].contains($0) ? 1e-6 : 0 }
    let finding = try Investigator(budget: 12).finding([], whiff)
    #expect(abs((finding.strength ?? 0) - 4 * log(0.7)) < 1e-9)
    #expect(finding.steps.isEmpty && finding.site == nil)
  }

  @Test("of few prompts a half is left to test on, and what was not tested has no strength")
  func fewPrompts() throws {
    let witness = ScriptedWitness(prompts: [[3], [4], [5], [3], [4]]) { _ in 0.5 }
    let finding = try Investigator(budget: 1000).finding([], witness)
    let rows = witness.asked.filter { $0.module == nil }.map(\.row)
    #expect(rows.count == 3, "prompts that read the same are asked once: \(rows)")
    #expect(abs((finding.strength ?? 0) - 2 * Belief.worth(0.5)) < 1e-6)
    let alone = try Investigator(budget: 1000).finding(
      [], ScriptedWitness(prompts: [[3]]) { _ in 0.5 })
    #expect(alone.strength == nil)
  }

  @Test(
    "what drifts on the prompts that suggest a token and not on others is no strength")
  func chance() throws {
    // Rows 0, 32 and 16 are explored first.
    let witness = ScriptedWitness { [0, 32, 16].contains($0) ? 0.9 : 0 }
    let finding = try Investigator(budget: 6).finding([], witness)
    #expect(finding.hypothesis == .init(token: 7, sign: 1))
    #expect((finding.strength ?? 1) < 0)
  }

  @Test(
    "prompts that evidence names are asked first; without questions its magnitude decides")
  func evidence() throws {
    var evidence = Evidence()
    evidence.magnitude = 3
    evidence.tokens = [TokenClaim(token: 9, score: 1, sign: -1)]
    evidence.inputs = [InputClaim(row: 50, score: 1), InputClaim(row: 999, score: 0.5)]
    evidence.sites = [SiteClaim(site: .attention(layer: 1), score: 1)]
    let witness = ScriptedWitness { _ in 0 }
    let silent = try Investigator(budget: 0).finding([evidence], witness)
    #expect(silent.strength == 3 && silent.row == 50 && silent.site == .attention(layer: 1))
    #expect(silent.hypothesis == .init(token: 9, sign: -1) && witness.asked.isEmpty)
    // Of several methods magnitudes do not compare.
    #expect(try Investigator(budget: 0).finding([evidence, evidence], witness).strength == nil)
    _ = try Investigator(budget: 4).finding([evidence], witness)
    #expect(witness.asked.first == .next(row: 50))
    #expect(witness.asked.count == 4)
  }

  @Test(
    "who only hears asks for nothing else, and never more than the budget",
    arguments: [0, 1, 5, 7, 100])
  func budgets(budget: Int) throws {
    let witness = ScriptedWitness { _ in 0.5 }
    _ = try Investigator(budget: budget, hearsOnly: true).finding([], witness)
    // One question cannot both find a hypothesis and test it.
    #expect(witness.asked.count == (budget == 1 ? 0 : min(budget, 64)))
    #expect(
      witness.asked.allSatisfy { if case .say = $0 { true } else { false } })
    let other = ScriptedWitness { _ in 0.5 }
    _ = try Investigator(budget: budget).finding([], other)
    #expect(other.asked.count <= budget)
  }

  // MARK: Verdicts

  @Test("what is right earns a point, what is wrong costs one, what is not said nothing")
  func points() {
    let tokens = PlantedChange.Tokens(
      target: ["animal": [7, 8]], candidates: [:], topic: [], trigger: [], sign: 1)
    let truth = PlantedChange(
      isPlanted: true, tokens: tokens, inputs: [false, true], sites: [.mlp(layer: 1)])
    let right = Verdict(hypothesis: .init(token: 8, sign: 1), row: 1, site: .mlp(layer: 1))
    #expect(right.points(truth) == [.whether: 1, .what: 1, .when: 1, .where: 1])
    let wrong = Verdict(hypothesis: .init(token: 8, sign: -1), row: 0, site: .mlp(layer: 0))
    #expect(wrong.points(truth) == [.whether: 1, .what: -1, .when: -1, .where: -1])
    #expect(wrong.points(.null) == [.whether: -1])
    #expect(
      Verdict.abstention.points(truth) == [.whether: 0, .what: 0, .when: 0, .where: 0])
    #expect(Verdict.abstention.points(.null) == [.whether: 0])
    #expect(Verdict(hypothesis: nil).points(truth)[.what] == 0)
  }
}
