import Bench
import Diffing
import Scoring
import Statistics
import TestSupport
import Testing

@Suite("Whether a ranking holds at another size")
struct RankingTransferTests {
  private static let methods = ["a", "b", "c", "d", "e"]

  /// Two plants of each family on two bases, called after the size; each method's figure by family.
  private func run(
    _ size: String, families: [String], failing: String? = nil,
    _ figure: (_ method: Int, _ family: String) -> Double
  ) -> [Trial] {
    Self.methods.indices.flatMap { method in
      families.flatMap { family in
        (0..<4).map { index -> Trial in
          let value = figure(method, family) + 0.001 * Double(index)
          return .sample(
            method: Self.methods[method], subject: "\(size)-\(family)-\(index / 2)", family: family,
            base: UInt64(index % 2), failures: family == failing ? ["behavior"] : [],
            scores: [.what: .scored(value, chance: 0)])
        }
      }
    }
  }

  private let families = ["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"]

  @Test("correlations of ranks, ties sharing a place")
  func ranks() {
    let values: [(Double, Double)] = [(1, 1), (2, 3), (2, 2), (4, 2)]
    // By hand: ranks 1, 2.5, 2.5, 4 and 1, 4, 2.5, 2.5; of six pairs three agree, one does not, one ties in each list.
    #expect(abs((RankCorrelation.spearman(values) ?? 0) - 0.5) < 1e-12)
    #expect(abs((RankCorrelation.kendall(values) ?? 0) - 0.4) < 1e-12)
    #expect(RankCorrelation.ranks([3, 1, 3, 2]) == [3.5, 1, 3.5, 2])
    #expect(RankCorrelation.spearman([(1, 2), (1, 3)]) == nil)
  }

  @Test("one order is 1 whatever the scale, the opposite one is -1")
  func order() throws {
    let small = run("small", families: families) { method, _ in 0.1 * Double(method) }
    let large = run("large", families: families) { method, _ in 0.2 + 0.02 * Double(method) }
    let reverse = run("large", families: families) { method, _ in 0.9 - 0.1 * Double(method) }
    for (other, expected) in [(large, 1.0), (reverse, -1)] {
      let transfer = RankingTransfer(small, other, drawCount: 200)
      #expect(transfer.families == families && transfer.agreements.count == 1)
      let agreement = try #require(transfer.agreements.first)
      #expect(agreement.question == .what && agreement.access == .weights)
      let (rho, tau) = (try #require(agreement.spearman), try #require(agreement.kendall))
      #expect(abs(rho.value - expected) < 1e-12 && abs(tau.value - expected) < 1e-12)
      #expect(rho.interval?.low == rho.interval?.high)
    }
    let moved = try #require(RankingTransfer(small, reverse).agreements.first?.methods.first)
    #expect(moved.row.method == "a" && moved.firstPlace == 5 && moved.secondPlace == 1)
    #expect(moved.shift(among: 5) == -1)
  }

  @Test("families of one run alone count nowhere, nor do plants that are not installed")
  func sharedFamilies() {
    let small = run("small", families: families) { method, _ in 0.1 * Double(method) }
    let more = run("large", families: families + ["other"], failing: "f0") { method, family in
      family == "other" ? 1 - 0.2 * Double(method) : 0.1 * Double(method)
    }
    let transfer = RankingTransfer(small, more, drawCount: 100)
    #expect(transfer.families == Array(families.dropFirst()))
    #expect(transfer.agreements.first?.spearman?.value == 1)
  }

  @Test("where families disagree the interval is wide")
  func spread() throws {
    let small = run("small", families: families) { method, _ in 0.1 * Double(method) }
    let mixed = run("large", families: families) { method, family in
      families.firstIndex(of: family).map { $0 % 2 == 0 } == true
        ? 0.11 * Double(method) : 0.5 - 0.1 * Double(method)
    }
    let agreement = try #require(RankingTransfer(small, mixed).agreements.first)
    #expect(agreement.spearman?.value == 1)
    let interval = try #require(agreement.spearman?.interval)
    #expect(interval.low < -0.9 && interval.high == 1)
  }

  @Test("who answers in one run alone is at chance in the other")
  func silence() throws {
    let small = run("small", families: families) { method, _ in 0.1 + 0.1 * Double(method) }
    let quiet = small.map { $0.row.method == "e" ? $0.silent(chance: 0) : $0 }
    let agreement = try #require(RankingTransfer(small, quiet, drawCount: 100).agreements.first)
    #expect(agreement.methods.last?.second == 0 && agreement.methods.last?.secondPlace == 5)
    #expect(abs(agreement.spearman?.value ?? 1) < 1e-12)
  }
}
