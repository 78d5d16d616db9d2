import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Recording and editing activation sites")
struct InterventionTests {
  let model = TinyModels.llama(biases: true)
  let batch = TokenBatch(TinyModels.rows([5, 3, 8, 2, 4]))

  private func logits(_ interventions: [Intervention]) -> Tensor {
    model.forward(batch, recording: [], editing: interventions, logits: .all).logits
  }

  @Test("patching a site with its own recording changes nothing")
  func ownRecording() {
    let pass = model.forward(batch, recording: Set(model.sites), logits: .all)
    for site in model.sites {
      let patched = logits([.patch(site, with: pass[site])])
      expectClose(patched, pass.logits, tolerance: 1e-5, "\(site)")
    }
  }

  @Test("scaling a site by one changes nothing, scaling it by zero does")
  func scaling() {
    let plain = logits([])
    for site in model.sites {
      expectClose(
        logits([Intervention(.scale(1), at: site)]), plain, tolerance: 1e-5, "\(site)")
      #expect((logits([.ablate(site)]) - plain).norm > 1e-3, "\(site)")
    }
  }

  @Test("the residual stream is the sum of what is written to it")
  func sums() {
    let pass = model.forward(batch, recording: Set(model.sites), logits: .none)
    for layer in 0..<model.shape.layers {
      expectClose(
        pass[.residualPre(layer: layer)] + pass[.attentionOutput(layer: layer)],
        pass[.residualMid(layer: layer)], tolerance: 1e-5)
      expectClose(
        pass[.residualMid(layer: layer)] + pass[.mlpOutput(layer: layer)],
        pass[.residualPost(layer: layer)], tolerance: 1e-5)
    }
    #expect(pass[.embedding] == pass[.residualPre(layer: 0)])
  }

  @Test("a pattern's rows are probabilities over the tokens so far")
  func patterns() {
    let pattern = model.forward(batch, recording: [.pattern(layer: 1)])[.pattern(layer: 1)]
    let longest = batch.longestRow
    for row in 0..<batch.rows {
      for (position, token) in batch.range(row).enumerated() {
        for head in 0..<model.shape.heads {
          let keys = Array(pattern.row(token))[head * longest..<(head + 1) * longest]
          #expect(abs(keys.prefix(position + 1).reduce(0, +) - 1) < 1e-5)
          #expect(keys.dropFirst(position + 1).allSatisfy { $0 == 0 })
        }
      }
    }
  }

  @Test("one head can be edited alone, and the heads together are the site")
  func heads() {
    let site = ActivationSite.headOutput(layer: 0)
    let whole = logits([.ablate(site)])
    let each = logits((0..<model.shape.heads).map { .ablate(site, head: $0) })
    expectClose(each, whole, tolerance: 1e-6)
    #expect((logits([.ablate(site, head: 1)]) - whole).norm > 1e-3)
  }

  @Test("only the chosen tokens are edited")
  func positions() {
    let site = ActivationSite.residualPost(layer: 0)
    let vector = Tensor(repeating: 0.5, shape: [model.shape.width])
    func recorded(_ positions: Intervention.Positions) -> Tensor {
      model.forward(
        batch, recording: [site],
        editing: [.steer(site, along: vector, factor: 2, positions: positions)], logits: .none)[
          site]
    }
    let plain = model.forward(batch, recording: [site])[site]
    let last = recorded(.last) - plain
    for token in 0..<batch.count {
      let expected: Float = batch.lastIndices.contains(token) ? 1 : 0
      #expect(last.row(token).allSatisfy { abs($0 - expected) < 1e-5 })
    }
    #expect((recorded(.indices([3])) - plain).row(3).allSatisfy { abs($0 - 1) < 1e-5 })
  }

  @Test("projecting out leaves nothing along the direction")
  func projection() {
    let site = ActivationSite.residualMid(layer: 1)
    var generator = SeededGenerator(seed: 1)
    let direction = generator.direction(model.shape.width, norm: 3)
    let edited = model.forward(
      batch, recording: [site], editing: [.projectOut(site, direction)], logits: .none)[site]
    for token in 0..<batch.count {
      #expect(abs(dot(edited.row(token), direction.scalars)) < 1e-4)
    }
  }

  @Test(
    "a pass whose stream is replaced from somewhere on is the same as if it had begun at the start")
  func replacedStreams() {
    let streams = model.sites.filter { "\($0)".contains("resid") }
    let other = model.forward(
      TokenBatch(TinyModels.rows([5, 3, 8, 2, 4], seed: 9)), recording: Set(streams))
    let vector = Tensor(repeating: 0.5, shape: [model.shape.width])
    for site in streams {
      let edits: [Intervention] = [.patch(site, with: other[site]), .steer(site, along: vector)]
      // What reads the embedding begins at the start.
      let whole = model.forward(
        batch, recording: [.embedding, .finalNorm], editing: edits, logits: .all)
      let late = model.forward(batch, recording: [site], editing: edits, logits: .all)
      #expect(late.logits == whole.logits, "\(site)")
      #expect(late[site] == other[site] + Tensor(repeating: 0.5, shape: late[site].shape))
    }
  }

  @Test(
    "a stream that is replaced in part, or after an edit that stays, is computed from the start")
  func partlyReplaced() {
    let site = ActivationSite.residualPost(layer: 0)
    let pass = model.forward(batch, recording: [site], logits: .all)
    expectClose(
      logits([.patch(site, with: pass[site], positions: .last)]), pass.logits, tolerance: 1e-5)
    let ablated = logits([.ablate(.mlpOutput(layer: 0)), .patch(site, with: pass[site])])
    expectClose(ablated, pass.logits, tolerance: 1e-5)
    let pattern = ActivationSite.pattern(layer: 0)
    let recorded = model.forward(
      batch, recording: [pattern], editing: [.patch(site, with: pass[site])], logits: .none)
    #expect(recorded[pattern] == model.forward(batch, recording: [pattern])[pattern])
  }

  @Test("an edit of a stream that the model does not have changes nothing")
  func unknownStreams() {
    let tensor = Tensor(repeating: 1, shape: [batch.count, model.shape.width])
    for site in [ActivationSite.residualPre(layer: 9), .residualPost(layer: 9)] {
      #expect(logits([.patch(site, with: tensor)]) == logits([]))
    }
  }

  @Test("an intervention leaves nothing on the model")
  func stateless() {
    let before = logits([])
    _ = logits([.ablate(.residualPost(layer: 0))])
    #expect(logits([]) == before)
  }

  @Test("sites print as TransformerLens's hook names")
  func names() {
    #expect("\(ActivationSite.headOutput(layer: 3))" == "blocks.3.attn.hook_z")
    #expect(Set(model.sites.map(\.description)).count == model.sites.count)
  }
}
