import Bench
import Diffing
import Foundation
import JSON
import Scoring
import Tensors
import TestSupport
import Testing

@testable import Statistics

@Suite("The hierarchical model")
struct HierarchicalTests {
  /// A model with numpyro's posterior of it, as `Fixtures/make_posteriors.py` wrote it.
  struct Reference: Codable, Sendable, CustomTestStringConvertible {
    struct Factor: Codable { let levels: Int, scale: Double }
    struct Cell: Codable { let levels: [Int], successes, trials: Int }
    struct Summary: Codable { let mean, deviation, low, middle, high, draws: Double }
    let name: String
    let centre: Double
    let factors: [Factor]
    let cells: [Cell]
    let mu: Summary
    let logSpreads: [Summary]
    let effects: [[Summary]]

    var testDescription: String { name }
    var model: BinomialModel {
      BinomialModel(
        factors.map { .init(levels: $0.levels, scale: $0.scale) }, centre: centre,
        cells.map { .init(levels: $0.levels, successes: $0.successes, trials: $0.trials) })
    }

    static let all: [Reference] = {
      let url = Fixtures.repository.appending(path: "Fixtures/posteriors/reference.json")
      return (try? JSON.decode([Reference].self, contentsOf: url)) ?? []
    }()
  }

  private func chains(_ target: some Density, _ settings: SamplerSettings) -> [Chain] {
    (0..<4).map { seed in
      var sampler = NoUTurnSampler(target, seed: UInt64(seed), settings: settings)
      return sampler.chain()
    }
  }

  @Test("there are references") func references() { #expect(Reference.all.count == 2) }

  @Test("the gradient is that of finite differences", arguments: Reference.all)
  func gradient(reference: Reference) {
    let model = reference.model
    var generator = SeededGenerator(seed: 3), own = [Double](repeating: 0, count: model.dimension)
    let point = own.map { _ in generator.normal() }
    _ = model.logarithm(point, gradient: &own)
    var unused = own
    for index in point.indices {
      var (low, high) = (point, point)
      low[index] -= 1e-5
      high[index] += 1e-5
      let slope =
        (model.logarithm(high, gradient: &unused) - model.logarithm(low, gradient: &unused)) / 2e-5
      #expect(abs(slope - own[index]) < 1e-5 * max(1, abs(slope)), "\(index)")
    }
  }

  @Test("the posterior is numpyro's: means, spreads and quantiles", arguments: Reference.all)
  func posterior(reference: Reference) {
    let model = reference.model
    let chains = chains(model, SamplerSettings(warmup: 1000, draws: 2000))
    func check(_ name: String, _ expected: Reference.Summary, _ value: ([Double]) -> Double) {
      let draws = chains.map { $0.points.map(value) }
      let flat = draws.flatMap(\.self), sorted = flat.sorted()
      let size = min(Mixing(draws).sampleSize, expected.draws)
      // Five standard errors of the mean; of a quantile at 5 % a normal's is 2.1 times as large.
      let margin = 5 * expected.deviation * (2 / size).squareRoot()
      #expect(abs(flat.mean - expected.mean) < margin, "\(name) mean")
      #expect(abs(flat.standardDeviation - expected.deviation) < 1.5 * margin, "\(name) spread")
      for (share, quantile) in [
        (0.05, expected.low), (0.5, expected.middle), (0.95, expected.high),
      ] {
        let own = ConfidenceInterval.quantile(sorted, share)
        #expect(abs(own - quantile) < 2.5 * margin, "\(name) at \(share): \(own), \(quantile)")
      }
    }
    check("mu", reference.mu) { $0[0] }
    for (factor, summary) in reference.logSpreads.enumerated() {
      check("ln sigma \(factor)", summary) { $0[1 + factor] }
    }
    for (factor, levels) in reference.effects.enumerated() {
      for (level, summary) in levels.enumerated() {
        check("effect \(factor) \(level)", summary) {
          model.effect(factor, level: level, at: $0)
        }
      }
    }
    #expect(chains.allSatisfy { $0.divergences < 20 && $0.missingInformation > 0.2 })
  }

  /// Independent normal numbers of unlike spreads.
  struct Normal: Density {
    let spreads: [Double]
    var dimension: Int { spreads.count }
    func logarithm(_ point: [Double], gradient: inout [Double]) -> Double {
      var sum = 0.0
      for index in point.indices {
        let scaled = point[index] / spreads[index]
        sum -= scaled * scaled / 2
        gradient[index] = -scaled / spreads[index]
      }
      return sum
    }
  }

  @Test("numbers of spreads from .01 to 100 are drawn with those spreads, and nearly independent")
  func normal() {
    let spreads = [0.01, 1, 100]
    let chains = chains(Normal(spreads: spreads), SamplerSettings(warmup: 500, draws: 1000))
    for (index, spread) in spreads.enumerated() {
      let draws = chains.map { $0.points.map { $0[index] } }
      let flat = draws.flatMap(\.self), mixing = Mixing(draws)
      #expect(mixing.rHat < 1.01 && mixing.sampleSize > 1500, "\(mixing)")
      #expect(abs(flat.mean) < 5 * spread / mixing.sampleSize.squareRoot())
      #expect(abs(flat.standardDeviation / spread - 1) < 0.08)
    }
    #expect(chains.allSatisfy { $0.divergences == 0 })
  }

  @Test("counts drawn from the prior have posteriors in which the truth ranks evenly")
  func simulationBasedCalibration() {
    // Talts et al., 2018: over data sets drawn from the prior, the truth's rank among draws is uniform.
    var generator = SeededGenerator(seed: 12)
    let bins = 8, sets = 160
    var ranks: [String: [Int]] = [:]
    for set in 0..<sets {
      let factor = BinomialModel.Factor(levels: 5, scale: 1)
      let mu = generator.normal(), sigma = abs(generator.normal())
      let effects = (0..<5).map { _ in sigma * generator.normal() }
      let cells = effects.enumerated().map { level, effect in
        let rate = 1 / (1 + exp(-mu - effect))
        let successes = (0..<12).filter { _ in generator.uniform() < rate }.count
        return BinomialModel.Cell(levels: [level], successes: successes, trials: 12)
      }
      let model = BinomialModel([factor], centre: 1, cells)
      var sampler = NoUTurnSampler(
        model, seed: UInt64(set), settings: SamplerSettings(warmup: 250, draws: 630))
      // Every tenth draw: nearly independent.
      let points = sampler.chain().points.enumerated().filter { $0.offset % 10 == 0 }.map(\.element)
      func rank(_ name: String, _ truth: Double, _ value: ([Double]) -> Double) {
        let below = points.filter { value($0) < truth }.count
        ranks[name, default: [Int](repeating: 0, count: bins)][below * bins / 64] += 1
      }
      rank("mu", mu) { $0[0] }
      rank("sigma", sigma) { exp($0[1]) }
      rank("effect", effects[0]) { model.effect(0, level: 0, at: $0) }
    }
    let expected = Double(sets) / Double(bins)
    for (name, counts) in ranks {
      let chi =
        counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) } / expected
      // Of chi squared at seven degrees one in a thousand is above 24.3.
      #expect(chi < 24.3, "\(name): \(counts)")
    }
  }

  @Test("chains that are apart, or that stick, are not sound")
  func diagnostics() {
    var generator = SeededGenerator(seed: 4)
    let noise = (0..<4).map { _ in (0..<500).map { _ in generator.normal() } }
    let good = Mixing(noise)
    #expect(good.rHat < 1.01 && good.sampleSize > 1500 && good.sampleSize < 2700)
    #expect(
      Mixing(noise.enumerated().map { index, chain in chain.map { $0 + Double(index) } }).rHat > 1.5
    )
    // Of an autoregressive chain with ρ = .9 one draw in 19 counts.
    let sticky = (0..<4).map { _ in
      (0..<2000).reduce(into: [Double]()) { chain, _ in
        chain.append(0.9 * (chain.last ?? 0) + generator.normal())
      }
    }
    #expect(abs(Mixing(sticky).sampleSize / (8000 / 19) - 1) < 0.35, "\(Mixing(sticky))")
  }

  @Test("methods that recover more have higher rates, drawn together where little was seen")
  func methods() throws {
    var generator = SeededGenerator(seed: 5), trials: [Trial] = []
    for (method, rate) in [("good", 0.85), ("fair", 0.5), ("poor", 0.1), ("new", 1.0)] {
      for plant in 0..<(method == "new" ? 2 : 24) {
        for base in 0..<3 {
          let value = generator.uniform() < rate ? 0.9 : 0.1
          trials.append(
            .sample(
              method: method, access: .pool, subject: "o\(plant)", family: "f\(plant / 3)",
              base: UInt64(base), scores: [.what: .scored(value, chance: 0)]))
        }
      }
    }
    let posterior = try #require(
      MethodPosterior(.what, BenchSummary(trials).methods(at: .pool)))
    func row(_ name: String) throws -> MethodPosterior.Row {
      try #require(posterior.rows.first { $0.row.method == name })
    }
    let (good, fair, poor, new) = (
      try row("good"), try row("fair"), try row("poor"), try row("new")
    )
    #expect(posterior.probability(good, above: fair) > 0.99)
    #expect(posterior.probability(poor, above: fair) < 0.01)
    #expect(
      abs(posterior.probability(good, above: fair) + posterior.probability(fair, above: good) - 1)
        < 1e-12)
    #expect(fair.interval.contains(0.5) && poor.interval.high < 0.35 && good.interval.low > 0.55)
    #expect(new.plants == 6 && new.recovered == 6)
    #expect(new.rate < 0.97, "two plants do not make a rate of 1")
    #expect(new.interval.high - new.interval.low > 2 * (good.interval.high - good.interval.low))
    #expect(posterior.diagnostics.divergences == 0 && posterior.diagnostics.rHat < 1.03)
  }
}
