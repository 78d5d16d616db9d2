@testable import Organisms
import Tensors
import Testing

@Suite("The linear probe")
struct LinearProbeTests {
  /// Examples of three classes along three axes, with noise.
  private func examples(_ seed: UInt64) -> (states: Tensor, labels: [Int]) {
    var generator = SeededGenerator(seed: seed)
    let labels = (0..<90).map { $0 % 3 }
    let scalars = labels.flatMap { label in
      (0..<8).map { Float(($0 == label ? 3 : 0) + 5 + 0.3 * generator.normal()) }
    }
    return (Tensor(shape: [90, 8], scalars: scalars), labels)
  }

  @Test("it tells classes apart, on examples that it did not see")
  func separates() throws {
    let learnt = examples(1), heldOut = examples(2)
    let probe = try LinearProbe(learnt.states, labels: learnt.labels, classes: 3)
    #expect(probe.accuracy(heldOut.states, labels: heldOut.labels) == 1)
    let wrong = heldOut.labels.map { ($0 + 1) % 3 }
    #expect(probe.accuracy(heldOut.states, labels: wrong) == 0)
  }

  @Test("a change towards a class raises its score most, whatever the state")
  func change() throws {
    let learnt = examples(1)
    let probe = try LinearProbe(learnt.states, labels: learnt.labels, classes: 3)
    var step = Tensor(shape: [1, 8])
    step[0, 2] = 1
    let scores = probe.scores(ofChange: step)
    #expect(scores[0, 2] > scores[0, 0] && scores[0, 2] > scores[0, 1])
  }
}
