import TestSupport
import Tensors
import Testing

@testable import Transformers

/// Rows of a large model that begin alike, as chat prompts do, are read as if each were alone.
@Suite("Shared prefixes")
struct SharedPrefixTests {
  private static let vocabulary = 180_000
  private static let models = [
    TinyModels.llama(vocabulary: vocabulary),
    TinyModels.varied {
      $0.vocabulary = vocabulary
      $0.isParallel = true
      $0.attention.local = .init([1], .init(window: 3))
      $0.norms.ofQueriesAndKeys = .perHead
    },
  ]
  private static let prefix = [7, 170_001, 3, 90_000, 12]
  /// One row is the prefix and nothing else.
  private static let rows = TinyModels.rows([4, 1, 2, 5, 3], vocabulary: vocabulary)
    .map { prefix + $0.dropFirst() }
  private let batch = TokenBatch(rows)
  private let sites: Set<ActivationSite> = [.embedding, .residualMid(layer: 1), .finalNorm]

  /// What each row gives alone, one behind the other.
  private func alone(
    _ model: DecoderModel, _ site: ActivationSite, editing edits: [Intervention] = []
  ) -> [Float] {
    Self.rows.indices.flatMap { row in
      let own = edits.map { edit in
        guard case .replace(let stream) = edit.operation, stream.shape.count == 2 else {
          return edit
        }
        return Intervention.patch(
          edit.site, with: stream.rows(at: Array(batch.range(row))), head: edit.head,
          positions: edit.positions)
      }
      return model.forward(
        TokenBatch([Self.rows[row]]), recording: [site], editing: own, logits: .none)[site].scalars
    }
  }

  /// Alike up to rounding: where OpenBLAS multiplies, a row's last bit depends on how many there are.
  private func expectAlike(
    _ actual: [Float], _ expected: [Float], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expectClose(actual, expected, tolerance: 1e-5, sourceLocation: sourceLocation)
  }

  @Test("recordings and logits are those of rows read alone", arguments: models)
  func recordings(model: DecoderModel) {
    let pass = model.forward(batch, recording: sites, logits: .last)
    for site in sites { expectAlike(pass[site].scalars, alone(model, site)) }
    let logits = Self.rows.flatMap { model.forward(TokenBatch([$0]), logits: .last).logits.scalars }
    expectClose(pass.logits, Tensor(shape: pass.logits.shape, scalars: logits), tolerance: 1e-6)
  }

  @Test(
    "passes from a stream are those of rows alone, whether it tells the rows apart or not",
    arguments: models)
  func starts(model: DecoderModel) {
    for site in [ActivationSite.embedding, .residualMid(layer: 0), .residualPost(layer: 0)] {
      let stream = model.forward(batch, recording: [site], logits: .none)[site].scaled(by: 1.5)
      var other = stream
      other[batch.starts[3] + 1, 2] += 1
      for start in [stream, other] {
        let edit = Intervention.patch(site, with: start)
        let expected = alone(model, .finalNorm, editing: [edit])
        let pass = model.forward(batch, recording: [.finalNorm], editing: [edit], logits: .none)
        expectAlike(pass[.finalNorm].scalars, expected)
        let passes = model.forward(batch, recording: [.finalNorm], fromEach: [edit, edit])
        for pass in passes { expectAlike(pass[.finalNorm].scalars, expected) }
      }
    }
  }

  @Test("an edit of all tokens is the same edit of each row alone", arguments: models)
  func everywhere(model: DecoderModel) {
    let vector = Tensor((0..<12).map { Float($0) / 12 }),
      site = ActivationSite.residualPost(layer: 0)
    let stream = model.forward(batch, recording: [.headOutput(layer: 1)])[.headOutput(layer: 1)]
    for edits in [
      [Intervention.steer(site, along: vector)], [.projectOut(site, vector)],
      [.ablate(.headOutput(layer: 0), head: 2)], [.patch(site, with: vector)],
      [
        .steer(site, along: vector),
        .patch(.headOutput(layer: 1), with: stream.scaled(by: 2), head: 1),
      ],
    ] {
      let pass = model.forward(batch, recording: [.finalNorm], editing: edits, logits: .none)
      expectAlike(pass[.finalNorm].scalars, alone(model, .finalNorm, editing: edits))
    }
  }

  @Test("an edit of some tokens is an edit of those alone", arguments: [0, 2, 12])
  func positions(token: Int) {
    let model = Self.models[0]
    let edit = Intervention.steer(
      .residualPost(layer: 0), along: Tensor(repeating: 1, shape: [12]),
      positions: .indices([token]))
    let plain = model.forward(batch, recording: [.finalNorm], logits: .none)[.finalNorm]
    let edited = model.forward(
      batch, recording: [.finalNorm], editing: [edit], logits: .none)[.finalNorm]
    let changes = (edited - plain).rowNorms
    let changed = changes.indices.filter { changes[$0] > 1e-3 }
    let row = (0..<batch.rows).first { batch.range($0).contains(token) }
    #expect(changed == row.map { Array(token..<batch.range($0).upperBound) })
  }

  @Test(
    "a shard reads the prefix once, and rows that an edit tells apart or that share little are read whole"
  )
  func compact() throws {
    let rows = (0..<20).map { Self.prefix + [$0, $0 + 1] }, batch = TokenBatch(rows)
    let stream = Tensor(shape: [batch.count, 1], scalars: batch.tokens.map(Float.init))
    func shared(_ edits: [Intervention], _ batch: TokenBatch = batch) -> SharedPrefix? {
      SharedPrefix(batch, editing: edits, shards: 4)
    }
    let patch = Intervention.patch(.residualPost(layer: 0), with: stream)
    let two = try #require(shared([patch]))
    #expect(two.read.shards == [0..<11, 11..<22] && two.read.batch.count == 2 * 5 + 20 * 2)
    guard case .replace(let compact) = two.compact(patch).operation else { return }
    #expect(compact.scalars == two.read.batch.tokens.map(Float.init))
    #expect(two.expanded(compact) == stream)
    var other = stream
    other[7, 0] += 1
    #expect(shared([patch, .patch(.embedding, with: other)]) == nil)
    #expect(shared([.ablate(.embedding)]) != nil)
    #expect(shared([.ablate(.embedding, positions: .indices([1]))]) == nil)
    #expect(shared([.patch(.embedding, with: stream, positions: .last)]) == nil)
    #expect(shared([], TokenBatch(rows.map { [$0[5]] + $0 })) == nil)
    #expect(shared([], TokenBatch([rows[0]])) == nil)
    #expect(
      shared([], TokenBatch(rows.map { [1] + $0 + Array(repeating: $0[5], count: 200) })) == nil)
  }
}
