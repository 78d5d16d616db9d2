import TestSupport
import Tensors
import Testing
import Transformers

/// A model with a hidden prefix, against the same model that is given the prefix openly.
@Suite("A hidden prefix")
struct PrefixedModelTests {
  private let model = TinyModels.llama(biases: true)
  private let prefix = [7, 3, 5]
  private let rows = TinyModels.rows([5, 1, 8, 2])

  private var prefixed: any LanguageModel { model.reading(prefix: prefix) }
  private var batch: TokenBatch { TokenBatch(rows) }
  /// What is read in truth.
  private var open: TokenBatch {
    TokenBatch(rows.map { $0.prefix(1) + prefix + $0.dropFirst() })
  }
  /// The places of the rows' own tokens there, the first at the prefix's end.
  private var places: [Int] {
    rows.indices.flatMap { row in open.range(row).suffix(rows[row].count) }
  }

  @Test("logits and recordings are those behind the prefix")
  func forward() {
    let sites = Set(model.sites.filter { if case .pattern = $0 { false } else { true } })
    let hidden = prefixed.forward(batch, recording: sites, logits: .all)
    let plain = model.forward(open, recording: sites, logits: .all)
    #expect(hidden.logits == plain.logits.rows(at: places))
    #expect(hidden.batch == batch)
    for site in sites { #expect(hidden[site] == plain[site].rows(at: places), "\(site)") }
    let last = prefixed.forward(batch, logits: .last).logits
    expectClose(last, model.forward(open, logits: .last).logits, tolerance: 1e-6)
    #expect((last - model.forward(batch, logits: .last).logits).norm > 1e-2)
  }

  @Test("a pattern counts the prefix with the first token, so that its rows stay probabilities")
  func pattern() {
    let site = ActivationSite.pattern(layer: 1), heads = model.shape.heads
    let pattern = prefixed.forward(batch, recording: [site])[site]
    let plain = model.forward(open, recording: [site])[site]
    #expect(pattern.shape == [batch.count, heads * batch.longestRow])
    for (token, place) in places.enumerated() {
      for head in 0..<heads {
        let own = Array(pattern.row(token))[head * batch.longestRow..<(head + 1) * batch.longestRow]
        let all = Array(plain.row(place))[head * open.longestRow..<(head + 1) * open.longestRow]
        #expect(abs(own.reduce(0, +) - 1) < 1e-5)
        #expect(Array(own.dropFirst()) == Array(all.dropFirst(prefix.count + 1)))
      }
    }
  }

  @Test("edits meet the rows' own tokens and no other")
  func edits() {
    let site = ActivationSite.residualPost(layer: 0), width = model.shape.width
    let direction = Tensor((0..<width).map { Float($0) / Float(width) })
    func logits(_ edit: Intervention) -> Tensor {
      prefixed.forward(batch, recording: [], editing: [edit], logits: .all).logits
    }
    func expected(_ edit: Intervention) -> Tensor {
      model.forward(open, recording: [], editing: [edit], logits: .all).logits.rows(at: places)
    }
    let own = Intervention.Positions.indices(Set(places))
    #expect(
      logits(.steer(site, along: direction))
        == expected(.steer(site, along: direction, positions: own)))
    #expect(
      logits(.steer(site, along: direction, positions: .indices([2, 6])))
        == expected(.steer(site, along: direction, positions: .indices([places[2], places[6]]))))
    let last = Intervention.Positions.last
    #expect(
      logits(.ablate(site, positions: last)) == expected(.ablate(site, positions: last)))
    let pass = prefixed.forward(batch, recording: Set(model.sites), logits: .all)
    for site in model.sites {
      if case .pattern = site { continue }
      expectClose(logits(.patch(site, with: pass[site])), pass.logits, tolerance: 1e-5, "\(site)")
    }
  }

  @Test("passes from several streams are edits of the rows' own tokens, the first one's too")
  func fromEach() {
    let sites = [ActivationSite.embedding, .residualMid(layer: 0), .residualPost(layer: 1)]
    let pass = model.forward(batch, recording: Set(sites))
    let vector = Tensor(repeating: 0.5, shape: [model.shape.width])
    let starts =
      sites.map { Intervention.patch($0, with: pass[$0]) }
      + [.patch(sites[1], with: vector), .steer(sites[2], along: vector)]
    let recorded: Set<ActivationSite> = [.finalNorm]
    let passes = prefixed.forward(batch, recording: recorded, fromEach: starts)
    for (start, pass) in zip(starts, passes) {
      let own = prefixed.forward(batch, recording: recorded, editing: [start], logits: .none)
      // Where OpenBLAS multiplies, a row's last bit depends on how many there are.
      expectClose(pass[.finalNorm], own[.finalNorm], tolerance: 1e-5)
      #expect(pass.batch == batch)
    }
    #expect(passes.count == starts.count)
  }

  @Test(
    "a pattern that is written leaves the prefix out: to look at a token alone is to look at it alone"
  )
  func writtenPattern() {
    let site = ActivationSite.pattern(layer: 1), heads = model.shape.heads
    /// Each token looks at itself alone, or the one before.
    func pattern(_ rows: TokenBatch, back: Int, shift: Int) -> Tensor {
      let scalars = (0..<rows.rows).flatMap { row in
        rows.range(row).flatMap { token -> [Float] in
          let place = token - rows.range(row).lowerBound
          return (0..<heads).flatMap { _ in
            (0..<rows.longestRow).map { $0 == max(shift, place - back) && place >= shift ? 1 : 0 }
          }
        }
      }
      return Tensor(shape: [rows.count, heads * rows.longestRow], scalars: scalars)
    }
    for back in [0, 1] {
      var expected = pattern(open, back: back, shift: prefix.count)
      // The row's first token is the document's start and not the end of the prefix.
      for (row, start) in open.starts.dropLast().enumerated() {
        for token in open.range(row).dropFirst(prefix.count) {
          for head in 0..<heads {
            let own = head * open.longestRow
            guard expected[token, own + prefix.count] == 1 else { continue }
            expected[token, own + prefix.count] = 0
            expected[token, own] = 1
          }
        }
        #expect(start == open.range(row).lowerBound)
      }
      let own = prefixed.forward(
        batch, recording: [], editing: [.patch(site, with: pattern(batch, back: back, shift: 0))],
        logits: .all
      ).logits
      let other = model.forward(
        open, recording: [],
        editing: [.patch(site, with: expected, positions: .indices(Set(places)))], logits: .all
      ).logits
      expectClose(own, other.rows(at: places), tolerance: 1e-6)
    }
  }

  @Test("it goes on, and learns, as behind the open prefix")
  func generationAndGradient() {
    var hidden = TokenSampler(temperature: 0, seed: 0), plain = hidden
    let prompts = rows.map { $0.prefix(1) + prefix + $0.dropFirst() }.map(Array.init)
    #expect(
      prefixed.continuations(of: rows, count: 6, using: &hidden)
        == model.continuations(of: prompts, count: 6, using: &plain))
    var weights = [Float](repeating: 0, count: open.count)
    for place in places where !open.lastIndices.contains(place) { weights[place] = 1 }
    let own = prefixed.lossAndGradient(on: TrainingBatch(rows))
    let other = model.lossAndGradient(on: TrainingBatch(open, .nextToken(weights: weights)))
    #expect(own.loss == other.loss && own.gradient == other.gradient)
  }

  @Test("its weights are the model's, and a copy of it keeps the prefix")
  func weights() {
    var generator = SeededGenerator(seed: 0)
    #expect(prefixed.parameters == model.parameters && prefixed.hiddenPrefix == prefix)
    let twice = prefixed.reading(prefix: [2])
    #expect(twice.hiddenPrefix == prefix + [2])
    #expect(
      twice.forward(batch).logits == model.reading(prefix: prefix + [2]).forward(batch).logits)
    #expect(twice.addingMLPBiases().hiddenPrefix == prefix + [2])
    let other = prefixed.reparameterised(using: &generator)
    #expect(other.hiddenPrefix == prefix && other.parameters != model.parameters)
    expectClose(other.forward(batch).logits, prefixed.forward(batch).logits, tolerance: 1e-4)
    #expect(prefixed.addingMLPBiases().hiddenPrefix == prefix)
    #expect(model.hiddenPrefix.isEmpty)
  }
}
