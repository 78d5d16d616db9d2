import Bench
import Diffing
import Scoring
import TestSupport
import Tensors
import Testing

@testable import Statistics

@Suite("Intervals")
struct IntervalTests {
  @Test("Student's t is that of the tables")
  func studentT() {
    #expect(abs(StudentT.limit(twoSided: 0.05, freedom: 2) - 4.302653) < 1e-5)
    #expect(abs(StudentT.limit(twoSided: 0.05, freedom: 17) - 2.109816) < 1e-5)
    #expect(abs(StudentT.twoSided(1, freedom: 1) - 0.5) < 1e-12)
    #expect(abs(StudentT.normal(below: -1.959964) - 0.025) < 1e-7)
    #expect(StudentT.twoSided(5, freedom: 0) == 1, "one witness says nothing")
  }

  @Test("Wilson's interval of a rate is no point at 0 and 1")
  func wilson() throws {
    let none = try #require(ConfidenceInterval(rate: 0, of: 10))
    #expect(none.low < 1e-12 && abs(none.high - 0.27754) < 1e-4)
    let half = try #require(ConfidenceInterval(rate: 0.5, of: 10))
    #expect(abs(half.low - 0.23659) < 1e-4 && abs(half.high - 0.76341) < 1e-4)
    #expect(ConfidenceInterval(rate: 0, of: 0) == nil)
  }

  @Test("a percentile interval is wider the fewer clusters there are")
  func expanded() throws {
    let replicates = (0...1000).map { Double($0) / 1000 }
    let many = try #require(ConfidenceInterval(replicates: replicates, witnesses: 100_000))
    #expect(abs(many.low - 0.025) < 1e-3 && abs(many.high - 0.975) < 1e-3)
    // Of ten: Φ(−√(10/9) · 2.2622) = 0.00855.
    let ten = try #require(ConfidenceInterval(replicates: replicates, witnesses: 10))
    #expect(abs(ten.low - 0.00855) < 1e-4 && abs(ten.high - 0.99145) < 1e-4)
    #expect(ConfidenceInterval(replicates: replicates, witnesses: 1) == nil)
  }

  /// Trials of families of one, two and three organisms on three bases, with numbers from a generator.
  private func trials(
    families: Int = 12, spread: (family: Double, organism: Double, base: Double, rest: Double),
    _ generator: inout SeededGenerator, method: String = "m"
  ) -> [Trial] {
    let bases = (0..<3).map { _ in spread.base * generator.normal() }
    return (0..<families).flatMap { family in
      let own = spread.family * generator.normal()
      return (0...family % 3).flatMap { organism in
        let organismOwn = spread.organism * generator.normal()
        return bases.indices.map { base in
          let value = own + organismOwn + bases[base] + spread.rest * generator.normal()
          return sample(value, "f\(family)", "o\(family)-\(organism)", UInt64(base), method)
        }
      }
    }
  }

  private func sample(
    _ value: Double, _ family: String, _ organism: String, _ base: UInt64, _ method: String = "m"
  ) -> Trial {
    .sample(
      method: method, subject: organism, family: family, base: base, magnitude: value,
      scores: [.what: .scored(value, chance: 0)])
  }

  private static let what = Column(.what, "what")

  @Test(
    "of a hundred runs on other families, organisms and bases 95 or so have the truth in their interval"
  )
  func coverage() throws {
    var generator = SeededGenerator(seed: 5), held = 0
    for _ in 0..<200 {
      let summary = BenchSummary(
        trials(spread: (0.2, 0.15, 0.05, 0.15), &generator))
      let column = try #require(
        ColumnIntervals(Self.what, summary.methods, drawCount: 400))
      if column.estimates[0].interval?.contains(0) == true { held += 1 }
    }
    // Four standard deviations of a share of 200 about 95 %.
    #expect(held >= 178, "\(held) of 200")
    #expect(held < 200, "an interval that always holds the truth is too wide")
  }

  @Test("a draw's figure is that of the trials it drew, each as often as it drew them")
  func draws() throws {
    var generator = SeededGenerator(seed: 6)
    let planted = trials(families: 5, spread: (1, 1, 1, 1), &generator)
    let nulls = planted.map { plant in
      Trial.sample(
        subject: "null-\(plant.pair.subject)", family: plant.family, base: plant.seeds.base,
        role: .narrow, match: plant.pair, magnitude: generator.normal())
    }
    let method = try #require(
      BenchSummary((planted + nulls).map { $0.renamed("m") }).methods.first)
    let clusters = Clusters(planted)
    let mean = ClusteredMean(method.installed, in: clusters) { $0.score(.what)?.counted }
    let area = ClusteredCalibration(method.calibrationGroups, in: clusters, \.area)
    #expect(abs(mean.value(clusters.everything)! - method.mean(.what)!) < 1e-12)
    #expect(abs(area.value(clusters.everything)! - method.calibrated(\.area)!) < 1e-12)
    for draw in clusters.draws(20) {
      var copies: [Trial] = [], observations: [UInt64: [Calibration.Observation]] = [:]
      for (turn, family) in draw.families.enumerated() {
        for (place, organism) in clusters.families[family.index].enumerated() {
          for trial in planted + nulls where (trial.match ?? trial.pair).subject == organism {
            let base = Int(trial.seeds.base)
            for _ in 0..<Int(family.organisms[place] * draw.bases[base]) {
              observations[trial.seeds.base, default: []].append(
                .init(magnitude: trial.magnitude, role: trial.role))
              if !trial.isNull {
                copies.append(
                  sample(trial.magnitude!, "\(turn)", organism, trial.seeds.base))
              }
            }
          }
        }
      }
      let expected = MethodSummary.mean(copies) { $0.score(.what)?.counted }
      #expect(abs(mean.value(draw)! - expected!) < 1e-9)
      let calibrations = observations.values.map { Calibration($0) }
      #expect(abs(area.value(draw)! - Calibration.mean(calibrations, \.area)!) < 1e-9)
    }
  }

  @Test("differences are adjusted as Holm says, and only clear ones part groups")
  func groups() throws {
    var generator = SeededGenerator(seed: 7), all: [Trial] = []
    let truth = trials(families: 18, spread: (0.3, 0.2, 0, 0), &generator)
    for (method, shift) in [("best", 1.0), ("near", 0.99), ("low", 0.2), ("last", 0.1)] {
      for trial in truth {
        all.append(
          sample(
            trial.magnitude! + shift + 0.1 * generator.normal(), trial.family, trial.pair.subject,
            trial.seeds.base, method))
      }
    }
    let column = try #require(ColumnIntervals(Self.what, BenchSummary(all).methods))
    let groups = TieGroups(column)
    #expect(groups.places.map(\.estimate.row.method).sorted() == ["best", "last", "low", "near"])
    #expect(groups.places.map(\.groups).prefix(2) == [[1], [1]])
    #expect(!groups.places[2].groups.contains(1))
    #expect(abs(groups.places.reduce(0) { $0 + $1.chanceOfBest } - 1) < 1e-9)
    // The spread of the organisms is common to all methods: paired, it is no part of a difference.
    let wide = try #require(column.estimates[0].interval)
    let paired = try #require(groups.differences[0].interval)
    #expect(paired.high - paired.low < (wide.high - wide.low) / 3)
    let sorted = groups.differences.sorted { $0.probability < $1.probability }
    var highest = 0.0
    for (place, difference) in sorted.enumerated() {
      highest = max(highest, min(1, difference.probability * Double(6 - place)))
      #expect(difference.adjusted == highest)
    }
  }

  @Test("two share a group if they are not apart, and only then")
  func letters() {
    #expect(TieGroups.groups(4, apart: []) == [[0, 1, 2, 3]])
    #expect(TieGroups.groups(3, apart: [(0, 2)]) == [[0, 1], [1, 2]])
    // The noisier third is apart from nobody.
    #expect(TieGroups.groups(4, apart: [(0, 1), (0, 3)]) == [[0, 2], [1, 2, 3]])
    var generator = SeededGenerator(seed: 13)
    for _ in 0..<50 {
      let pairs = (0..<7).flatMap { a in (a + 1..<7).map { (a, $0) } }
      let apart = pairs.filter { _ in generator.uniform() < 0.4 }
      let groups = TieGroups.groups(7, apart: apart)
      for (a, b) in pairs {
        let isTogether = groups.contains { $0.contains(a) && $0.contains(b) }
        #expect(isTogether != apart.contains { $0 == (a, b) })
      }
    }
  }

  @Test("of two families the interval is by Student's t, not from the least to the greatest")
  func few() throws {
    let interval = try #require(
      ConfidenceInterval(0.5, replicates: [0.4, 0.5, 0.5, 0.6], witnesses: 2))
    #expect(abs(interval.high - 0.5 - 12.706 * 0.0816497) < 1e-3)
  }

  @Test("an organism that is of another family in one row is drawn once, and nothing traps")
  func movedOrganism() throws {
    var trials: [Trial] = []
    for family in 0..<4 {
      trials.append(sample(0.1 * Double(family), "f\(family)", "o\(family)", 0))
    }
    trials += trials.enumerated().map { index, trial in
      sample(0.2, "f\(index == 3 ? 0 : index)", trial.pair.subject, 0, "other")
    }
    let column = try #require(ColumnIntervals(Self.what, BenchSummary(trials).methods))
    #expect(column.counts.organisms == 4 && column.counts.families == 4)
  }

  @Test("a row that was run on a part of the plants has the interval of that part")
  func part() throws {
    var generator = SeededGenerator(seed: 14)
    let whole = trials(families: 12, spread: (0.2, 0.1, 0, 0.1), &generator)
    let part = whole.filter { ["f1", "f2"].contains($0.family) }.map { $0.renamed("part") }
    let column = try #require(ColumnIntervals(Self.what, BenchSummary(whole + part).methods))
    let own = column.estimates.map {
      ($0.witnesses, ($0.interval?.high ?? 0) - ($0.interval?.low ?? 0))
    }
    #expect(own.map(\.0) == [12, 2])
    #expect(own[1].1 > own[0].1)
  }

  @Test("equal methods are parted in no more than one run of twenty")
  func falseGroups() throws {
    var generator = SeededGenerator(seed: 8), parted = 0
    for _ in 0..<60 {
      var all: [Trial] = []
      for method in 0..<6 {
        all += trials(
          families: 12, spread: (0.2, 0.1, 0.02, 0.1), &generator, method: "m\(method)")
      }
      let column = try #require(
        ColumnIntervals(Self.what, BenchSummary(all).methods, drawCount: 400))
      if TieGroups(column).count > 1 { parted += 1 }
    }
    #expect(parted <= 8, "\(parted) of 60")
  }

  @Test("variances are split into what they come from")
  func variances() throws {
    var generator = SeededGenerator(seed: 9)
    let sum = (0..<20).reduce(into: [VarianceSplit.Part: Double]()) { sum, _ in
      let own = trials(families: 60, spread: (0.3, 0.2, 0, 0.1), &generator)
      for (part, variance) in VarianceSplit(own, \.magnitude)?.variances ?? [:] {
        sum[part, default: 0] += variance / 20
      }
    }
    #expect(abs(sum[.family]! - 0.09) < 0.015 && abs(sum[.organism]! - 0.04) < 0.01)
    #expect(abs(sum[.cell]! - 0.01) < 0.001 && sum[.base]! < 0.001)
    #expect(sum[.planting] == nil && sum[.draw] == nil, "nothing was planted twice")
  }

  @Test("with repeats the seeds have variances of their own")
  func seeds() throws {
    var generator = SeededGenerator(seed: 10), all: [Trial] = []
    for organism in 0..<80 {
      let own = 0.3 * generator.normal()
      for planting in 0..<3 {
        let planted = 0.2 * generator.normal()
        for method in 0..<3 {
          let value = own + planted + 0.1 * generator.normal()
          all.append(
            .sample(
              subject: "\(organism)", family: "\(organism)", planting: UInt64(planting),
              methodSeed: UInt64(method), magnitude: value))
        }
      }
    }
    let split = try #require(VarianceSplit(all, \.magnitude))
    #expect(abs(split.variances[.family]! - 0.09) < 0.04)
    #expect(abs(split.variances[.planting]! - 0.04) < 0.01)
    #expect(abs(split.variances[.draw]! - 0.01) < 0.002)
    #expect(split.variances[.organism] == nil, "each family has one organism")
  }

  @Test("a plan's least difference is that of its formula, and falls with organisms")
  func plan() throws {
    var generator = SeededGenerator(seed: 11), all: [Trial] = []
    let shared = trials(families: 12, spread: (1, 1, 1, 0), &generator)
    for method in ["a", "b"] {
      for trial in shared {
        all.append(
          sample(
            trial.magnitude! + 0.1 * generator.normal(), trial.family, trial.pair.subject,
            trial.seeds.base, method))
      }
    }
    let row = try #require(StudyPlan(BenchSummary(all)).rows.first { $0.question == .what })
    #expect(row.design.families == 12 && row.design.organisms == 24 && row.design.bases == 3)
    // Four families each of one, two and three organisms, on three bases each.
    #expect(abs(row.design.organismShare - 4 * (1 + 1.0 / 2 + 1.0 / 3) / 144) < 1e-12)
    #expect(abs(row.design.cellShare - 4 * (1 + 1.0 / 2 + 1.0 / 3) / 432) < 1e-12)
    // Two methods' own noise of .1 each: √(.02 · cellShare) standard errors, times t(11) + 0.8416 = 3.0426.
    #expect(
      abs(row.leastDifference() - 3.0426 * (0.02 * row.design.cellShare).squareRoot()) < 0.025)
    #expect(row.leastDifference(comparisons: 10) > 1.3 * row.leastDifference())
    let more = try #require(row.organisms(for: 0.07, bases: 3))
    let fewer = try #require(row.organisms(for: 0.12, bases: 3))
    #expect(more > fewer)
  }
}

extension Trial {
  /// The same trial of another method.
  fileprivate func renamed(_ method: String) -> Trial {
    Trial(
      cell: Cell(MethodAtAccess(method, row.access), pair, seeds), key: key, family: family,
      half: half, standard: standard, planting: planting, role: role, match: match,
      failures: failures, answersWhether: answersWhether, magnitude: magnitude, scores: scores,
      cost: cost, versions: versions)
  }
}
