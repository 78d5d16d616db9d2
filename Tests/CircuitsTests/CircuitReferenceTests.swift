import Circuits
import Foundation
import JSON
import TestSupport
import Tensors
import Testing
import Transformers

/// Edges of models that transformers wrote, by PyTorch in double precision (`Fixtures/make_circuit_references.py`).
@Suite("Circuits against PyTorch")
struct CircuitReferenceTests {
  struct Reference: Decodable {
    struct Case: Decodable {
      let model: String
      let clean, corrupted: [[Int]]
      let points: Int
      let scores, integrated: [Float]
      let effects: [Effect]
      let circuits: [[Float]]
    }
    struct Effect: Decodable {
      let writer, reader: Int
      let figure: Double
    }
    let madeWith: JSONValue
    let cases: [Case]
  }

  private let cases: [Reference.Case]

  init() throws {
    cases = try JSON.decode(
      Reference.self, contentsOf: Fixtures.url("circuits/reference.json")
    ).cases
  }

  private func setting(_ index: Int) throws -> (any LanguageModel, PromptPairs, LogitFigure) {
    let entry = cases[index]
    let model = try HuggingFaceFolder.read(Fixtures.url("transformers/\(entry.model)")).model
    let prompts = try PromptPairs(
      clean: TokenBatch(entry.clean), corrupted: TokenBatch(entry.corrupted))
    return (model, prompts, Self.figure)
  }

  /// Each prompt's logits weighted by sines.
  private static func figure(_ logits: Tensor) -> (value: Double, gradient: Tensor) {
    let weights = Tensor(
      shape: logits.shape,
      scalars: (0..<logits.rows).flatMap { row in
        (0..<logits.columns).map { Float(sin(Double($0 + row + 1))) }
      })
    return (Double(dot(logits.scalars, weights.scalars)), weights)
  }

  @Test("scores of all edges", arguments: 0..<2)
  func scores(index: Int) throws {
    let (model, prompts, figure) = try setting(index), entry = cases[index]
    for (points, expected) in [(1, entry.scores), (entry.points, entry.integrated)] {
      let attribution = EdgeAttribution(of: figure, in: model, on: prompts, points: points)
      let graph = attribution.graph, columns = graph.readers.count
      #expect(expected.count == graph.writers.count * columns)
      expectClose(
        graph.edges.map { attribution[$0] },
        graph.edges.map { expected[$0.writer * columns + $0.reader] }, tolerance: 2e-5,
        "\(points) points")
    }
  }

  @Test("answers with one edge corrupted", arguments: 0..<2)
  func effects(index: Int) throws {
    let (model, prompts, figure) = try setting(index), run = CircuitRun(model, on: prompts)
    for effect in cases[index].effects {
      let edge = try #require(
        run.graph.edges.first { ($0.writer, $0.reader) == (effect.writer, effect.reader) })
      let own = figure(run.logits(corrupting: edge)).value
      #expect(abs(own - effect.figure) < 1e-4, "\(effect): \(own)")
    }
  }

  @Test("answers of circuits", arguments: 0..<2)
  func circuits(index: Int) throws {
    let (model, prompts, _) = try setting(index), run = CircuitRun(model, on: prompts)
    for start in 0..<2 {
      let kept = run.graph.edges.filter { ($0.writer + $0.reader) % 2 == start }
      let logits = run.logits(keeping: Set(kept))
      for row in 0..<logits.rows {
        expectClose(
          Array(logits.row(row)), cases[index].circuits[2 * row + start], tolerance: 2e-5,
          "circuit \(start), prompt \(row)")
      }
    }
  }
}
