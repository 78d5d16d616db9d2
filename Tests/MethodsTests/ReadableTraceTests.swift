import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Readable traces")
struct ReadableTraceTests: KnownChangeSuite {
  @Test("a trace on every input stands out from random signs; without one there is nothing to read")
  func trace() throws {
    let vector = KnownChange.direction(of: 7, norm: 3)
    let (wide, shifted) = KnownChange.biased(vector, layer: 1)
    let evidence = try KnownChange.evidence(
      ReadableTrace(), shifted, base: wide, access: .unrelated)
    let deviations = try #require(evidence.curves("The trace")?[1])
    #expect(deviations[1] > 3)
    #expect(cosine(try #require(evidence.proposedDirection), vector) > 0.999)
    let halves = try #require(evidence.curves("The trace")?.last)
    #expect(halves[1] > 0.999)
    // Texts of two words that move in opposite directions: differences as long, but no trace.
    var opposite = base
    var embedding = base.parameters[base.names.embedding]
    var generator = SeededGenerator(seed: 2)
    let step = generator.direction(12, norm: 0.05)
    for column in 0..<12 {
      for row in 0..<base.parameters[base.names.embedding].rows where row != 5 {
        embedding[row, column] = embedding[5, column]
      }
      embedding[4, column] += step[column]
      embedding[5, column] -= step[column]
    }
    var still = base
    still.parameters[base.names.embedding] = Tensor(
      shape: embedding.shape,
      scalars: (0..<embedding.rows).flatMap { _ in
        Array(base.parameters[base.names.embedding].row(5))
      })
    opposite.parameters[base.names.embedding] = embedding
    let rows = (0..<40).map { [1, 4 + $0 % 2, 4 + $0 % 2, 4 + $0 % 2] }
    let none = try KnownChange.evidence(
      ReadableTrace(), opposite, base: still, access: .unrelated,
      prompts: PromptSet(
        access: .unrelated, text: TokenBatch(rows), documentStart: 1, specialTokens: [0, 1]))
    #expect(none.tokens == nil && none.interventions == nil)
    #expect((none.magnitude ?? 0) < 0.1 * (evidence.magnitude ?? 0))
  }
}
