import Bench
import Diffing
import Scoring
import Statistics
import TestSupport
import Testing

@testable import Reporting

@Suite("Tables of intervals")
struct IntervalTableTests {
  @Test(
    "a figure stands with its interval, its group and how often it is best, over a count of what it rests on"
  )
  func table() throws {
    let means = [("good", 0.8), ("poor", 0.2), ("random-dummy", 0.25)]
    var trials: [Trial] = []
    for (method, mean) in means {
      for plant in 0..<12 {
        let step = Double(method == "random-dummy" ? plant % 3 : plant % 2)
        trials.append(
          .sample(
            method: method, access: .sampling, subject: "o\(plant)", family: "f\(plant / 2)",
            magnitude: nil, scores: [.what: .scored(mean + 0.05 * step, chance: 0)]))
      }
    }
    let table = IntervalTable(BenchSummary(trials), .sampling).table
    #expect(table.header == ["of sampling", "what"])
    #expect(table.rows[0][1].hasPrefix(".83 [.80, .85] a 100"), "\(table.rows[0][1])")
    #expect(table.rows[1][1].hasPrefix(".23 [.20, .25]°b"), "\(table.rows[1][1])")
    #expect(
      table.rows.suffix(3).map { Array($0.prefix(2)) } == [
        ["families", "6"], ["organisms", "12"], ["bases", "1"],
      ])
  }

  @Test(
    "groups are lettered as the columns of a sheet",
    arguments: [(1, "a"), (26, "z"), (27, "aa"), (53, "ba")])
  func letters(group: Int, letter: String) {
    #expect(IntervalTable.letter(group) == letter)
  }

  @Test("no figure has a zero before its point, with a minus or without")
  func numbers() {
    #expect(IntervalText(-0.25, ConfidenceInterval(low: -1.5, high: 0)).text == "-.25 [-1.50, .00]")
  }
}
