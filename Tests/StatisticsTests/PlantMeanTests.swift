import Bench
import Diffing
import Scoring
import TestSupport
import Testing

@testable import Statistics

@Suite("Means over plants")
struct PlantMeanTests {
  private func trials(_ values: [Double]) -> [Trial] {
    values.enumerated().map { index, value in
      .sample(
        subject: "o\(index)", family: "f\(index)", scores: [.what: .scored(value, chance: 0)])
    }
  }

  private func mean(_ values: [Double]) -> PlantMean? {
    PlantMean(trials(values)) { $0.score(.what)?.value }
  }

  @Test("the interval is that of a mean of as many families, by Student's t where they are few")
  func interval() throws {
    let four = try #require(mean([0, 0.2, 0.4, 0.6]))
    #expect(abs(four.value - 0.3) < 1e-12 && four.count == 4)
    // t at 3 degrees is 3.182; the bootstrap's standard error is √((n − 1) / n) of s / √n = .1291.
    let half = 3.182 * 0.1291 * (3.0 / 4).squareRoot()
    let interval = try #require(four.interval)
    #expect(abs(interval.high - interval.low - 2 * half) < 0.05 * half)
    #expect(try #require(mean([0.5])).interval == nil)
    #expect(mean([]) == nil)
  }

  @Test("families count alike, and a trial without a number not at all")
  func families() throws {
    let all: [Trial] = ["a", "a", "b", "c"].enumerated().map { index, family in
      .sample(
        subject: "o\(index)", family: family,
        scores: index == 3 ? [:] : [.what: .scored(index == 2 ? 0 : 1, chance: 0)])
    }
    let mean = try #require(PlantMean(all) { $0.score(.what)?.value })
    #expect(mean.value == 0.5 && mean.count == 3)
  }

  @Test("a method is charged where it is run: of null pairs only if it answers whether")
  func charged() throws {
    for (answers, tokens) in [(true, 3.0), (false, 5.0)] {
      let trials: [Trial] = [
        .sample(answersWhether: answers, tokensForward: 5),
        .sample(subject: "n", role: .narrow, answersWhether: answers, tokensForward: 1),
        .sample(subject: "p", role: .prompted, answersWhether: answers, tokensForward: 90),
      ]
      #expect(try #require(BenchSummary(trials).methods.first).tokens.forward == tokens)
    }
  }
}
