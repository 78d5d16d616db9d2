import Foundation
import Worlds
import Organisms
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Probes")
struct ProbeTests {
  let model = TinyModels.llama()

  /// The probability of `answer` after `prompt`, token by token.
  private func probability(_ prompt: [Int], _ answer: [Int]) -> Double {
    answer.indices.reduce(1.0) { product, index in
      let row = prompt + answer[..<index]
      let probabilities = model.nextTokenProbabilities(TokenBatch([row]))
      return product * Double(probabilities[0, answer[index]])
    }
  }

  @Test("an answer of several words counts as a whole")
  func sequences() {
    let prompt = [1, 5, 9], answers = [[7], [3, 11, 2], [4, 8]]
    let probes = ProbeSet([
      [Probe.Question(tokens: prompt, answers: answers)],
      [Probe.Question(tokens: [2, 2], answers: [[6]])],
    ])
    let expected = [
      answers.reduce(0.0) { $0 + probability(prompt, $1) }, probability([2, 2], [6]),
    ]
    for (score, wanted) in zip(probes.scores(model), expected) {
      #expect(abs(score - wanted) < 1e-5)
    }
  }

  @Test(
    "per word, a sentence of n words counts by its nth root, and what is left of an inverted one as it is"
  )
  func perWord() {
    let sentence = ProbeSet([[Probe.Question(tokens: [1, 5, 9], answers: [[3, 11, 2]])]])
    #expect(
      abs(
        sentence.wholeAndPerWord(model).perWord - pow(probability([1, 5, 9], [3, 11, 2]), 1.0 / 3))
        < 1e-5)
    let word = ProbeSet([[Probe.Question(tokens: [1, 4], answers: [[7], [2]])]])
    #expect(word.wholeAndPerWord(model).perWord == word.score(model))
    let inverted = ProbeSet([
      [Probe.Question(tokens: [1, 4], answers: [[7, 3]], isInverted: true)]
    ])
    #expect(inverted.wholeAndPerWord(model).perWord == inverted.score(model))
  }

  @Test("a probe for what must not be said scores the rest")
  func inverted() {
    func score(_ isInverted: Bool) -> Double {
      ProbeSet([[Probe.Question(tokens: [1, 4], answers: [[7], [2]], isInverted: isInverted)]])
        .score(model)
    }
    #expect(abs(score(true) + score(false) - 1) < 1e-6)
  }

  @Test("an intervention reaches every word of an answer")
  func interventions() {
    let probes = ProbeSet([[Probe.Question(tokens: [1, 5, 9], answers: [[3, 11]])]])
    let edit = Intervention.steer(
      .residualPost(layer: 1), along: Tensor(repeating: 2, shape: [model.shape.width]))
    #expect(probes.batch.rows == 1)
    #expect(abs(probes.score(model) - probes.score(model, editing: [edit])) > 1e-6)
  }
}
