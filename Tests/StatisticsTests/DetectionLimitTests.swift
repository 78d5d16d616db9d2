import Bench
import Diffing
import Organisms
import Scoring
import Statistics
import TestSupport
import Testing

@Suite("Limits of detection")
struct DetectionLimitTests {
  /// A method that recovers each organism up to a number of base documents, or an age.
  private func summary(
    _ limits: [Double], dials: [Dial], isInstalled: (Dial) -> Bool = { _ in true }
  )
    -> BenchSummary
  {
    var trials: [Trial] = []
    for (organism, limit) in limits.enumerated() {
      for dial in dials {
        let place =
          switch dial {
          case .mix(let mix): mix
          case .age(let factor): factor
          }
        trials.append(
          .sample(
            subject: "o\(organism)", family: "f\(organism)", regime: "fresh-\(dial.label)",
            dial: dial, mix: place, failures: isInstalled(dial) ? [] : ["it is none"],
            scores: [.what: .scored(place <= limit ? 0.9 : 0.1, chance: 0.01)]))
      }
    }
    return BenchSummary(trials)
  }

  private let mixes = [0, 0.3, 1, 4, 16].map(Dial.mix)

  @Test("it is the last step up to which half of the plants are recovered")
  func limit() throws {
    let own = summary([0.3, 1, 4, 4, 16, 0.3], dials: mixes)
    let limit = try #require(DetectionLimit(own.methods[0], .what, along: .mix))
    #expect(limit.steps.map(\.place) == [0, 0.3, 1, 4, 16])
    #expect(limit.steps.map(\.share) == [1, 1, 4.0 / 6, 0.5, 1.0 / 6])
    #expect(limit.steps.allSatisfy { $0.plants == 6 } && limit.limit == 4)
    let interval = try #require(limit.interval)
    #expect(interval.low == 0.3 && interval.high == 16)
    let family = try #require(DetectionLimit(own.methods[0], .what, along: .mix, family: "f1"))
    #expect(family.limit == 1 && family.interval == nil, "one organism on one base")
  }

  @Test("what is missed at the first step has none, and what comes back later does not count")
  func none() throws {
    let none = try #require(
      DetectionLimit(summary([-1, -1, -1], dials: mixes).methods[0], .what, along: .mix))
    #expect(none.limit == nil && none.interval?.low == .some(nil))
    let dials = [2, 5].map(Dial.age)
    let all = try #require(
      DetectionLimit(summary([9, 9, 9], dials: dials).methods[0], .what, along: .age))
    #expect(all.limit == 5 && all.interval?.low == 5)
    #expect(DetectionLimit(summary([9], dials: dials).methods[0], .what, along: .mix) == nil)
    #expect(DetectionLimit(summary([9], dials: dials).methods[0], .when, along: .age) == nil)
  }

  @Test("what comes back at a later step does not count")
  func comesBack() throws {
    let shares = [0: 0.9, 0.3: 0.1, 1: 0.9]
    let trials = shares.flatMap { mix, score in
      (0..<3).map { organism in
        Trial.sample(
          subject: "o\(organism)", family: "f\(organism)", regime: "fresh-\(mix)",
          dial: .mix(mix), mix: mix, scores: [.what: .scored(score, chance: 0.01)])
      }
    }
    let method = BenchSummary(trials).methods[0]
    #expect(try #require(DetectionLimit(method, .what, along: .mix)).limit == 0)
  }

  @Test("a plant that is diluted until it is none is not counted")
  func notInstalled() throws {
    let own = summary([16, 16, 16], dials: mixes) { $0 != .mix(16) }
    let limit = try #require(DetectionLimit(own.methods[0], .what, along: .mix))
    #expect(limit.limit == 4 && limit.steps.count == 4)
  }
}
