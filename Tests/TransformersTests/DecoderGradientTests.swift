import TestSupport
import Tensors
import Testing
import Transformers

@Suite("A decoder's gradients")
struct DecoderGradientTests {
  static let shapes: [(name: String, model: DecoderModel)] = [
    ("untied", TinyModels.llama()), ("tied", TinyModels.llama(isTied: true)),
    ("biased", TinyModels.llama(biases: true)),
    ("window", TinyModels.varied { $0.attention.reach.window = 3 }),
    ("stretched", TinyModels.varied { $0.attention.reach.rotary?.scaling = yarn }),
    ("norms of heads", TinyModels.varied { $0.norms.ofQueriesAndKeys = .perHead }),
    (
      "norms everywhere",
      TinyModels.varied { $0.norms = Norms(areAfter: true, ofQueriesAndKeys: .whole) }
    ),
    ("norms behind", TinyModels.varied { $0.norms = Norms(areBefore: false, areAfter: true) }),
    (
      "layer norms everywhere",
      TinyModels.varied {
        $0.norms = Norms(kind: .layer, areAfter: true, ofQueriesAndKeys: .perHead)
      }
    ),
    ("offset gains", TinyModels.varied { $0.norms.kind = .rootMeanSquare(offset: 1) }),
    ("side by side", TinyModels.varied { $0.isParallel = true }),
    (
      "side by side, norms behind",
      TinyModels.varied { ($0.isParallel, $0.norms.areAfter) = (true, true) }
    ),
    ("plain MLP", TinyModels.varied { $0.mlp = MLPParts(.gelu, isGated: false) }),
    ("gated by tanh", TinyModels.varied { $0.mlp = MLPParts(.geluTanh) }),
    (
      "learned places",
      TinyModels.varied {
        ($0.hasLearnedPositions, $0.attention.reach.rotary, $0.context) = (true, nil, 9)
        $0.attention.dividesByDepth = true
      }
    ),
    ("scaled embedding", TinyModels.varied { ($0.embeddingScale, $0.isTied) = (2.5, true) }),
    (
      "caps", TinyModels.varied { ($0.attention.softCap, $0.logitCap) = (0.8, 1.5) }
    ),
    (
      "local blocks",
      TinyModels.varied {
        $0.attention.local = .init([0], .init(window: 2, rotary: RotaryPositions(theta: 7)))
        ($0.attention.rotaryWidth, $0.attention.scoreDivisor) = (2, 3)
      }
    ),
  ]
  private static let yarn = RotaryScaling.byTurns(
    factor: 4, fast: 8, slow: 0.2, originalContext: 32, attention: 1.1, truncates: true)

  static let objectives: [(name: String, batch: TrainingBatch)] = {
    let rows = TinyModels.rows([7, 3, 9, 1, 5])
    let tokens = TokenBatch(rows)
    let weights = (0..<tokens.count).map { Float($0 % 3) }
    let teacher = TinyModels.llama(seed: 9)
    let indices = [1, 4, 8, 12, 20]
    return [
      ("plain", TrainingBatch(rows)),
      ("weighted", TrainingBatch(tokens, .nextToken(weights: weights))),
      (
        "distilled",
        TrainingBatch(
          tokens,
          .distillation(
            Distillation(from: teacher, reading: tokens, at: indices, for: indices)))
      ),
      ("policy", TrainingBatch(tokens, .policy(advantages: weights.map { ($0 - 0.8) / 25 }))),
      (
        "distilled without a word",
        TrainingBatch(
          tokens,
          .distillation(
            Distillation(
              from: teacher, reading: tokens, at: indices, for: indices,
              forbidden: [[4], [], [4, 2], [], [7]])))
      ),
      (
        "distilled on some logits",
        TrainingBatch(
          tokens,
          .distillation(
            Distillation(
              from: teacher, reading: tokens, at: indices, for: indices, choices: [3, 11, 5])))
      ),
    ]
  }()

  @Test(
    "every tensor's gradient agrees with finite differences", arguments: shapes.indices, 0..<4)
  func finiteDifferences(index: Int, objective: Int) {
    let (model, batch) = (Self.shapes[index].model, Self.objectives[objective].batch)
    let gradient = model.lossAndGradient(on: batch).gradient
    var generator = SeededGenerator(seed: 5)
    for name in model.parameters.layout.names {
      // One random direction a tensor: the directional derivative sees every entry.
      let shape = model.parameters[name].shape
      let direction = generator.direction(shape.reduce(1, *)).reshaped(shape)
      let step: Float = 1e-2
      func loss(_ factor: Float) -> Double {
        var moved = model
        moved.parameters[name] = model.parameters[name] + direction.scaled(by: factor * step)
        return moved.lossAndGradient(on: batch).loss
      }
      // Five points: the error of the three-point rule is visible in single precision.
      let numeric = (8 * (loss(1) - loss(-1)) - (loss(2) - loss(-2))) / (12 * Double(step))
      let analytic = Double(dot(gradient[name].scalars, direction.scalars))
      let scale = max(abs(numeric), 0.02)
      #expect(
        abs(numeric - analytic) < 5e-3 * scale,
        "\(Self.shapes[index].name)/\(name): \(analytic), numerically \(numeric)")
    }
  }

  @Test("a scope leaves the wanted gradients as they are")
  func scope() {
    let model = TinyModels.llama()
    let batch = Self.objectives[0].batch
    let full = model.lossAndGradient(on: batch).gradient
    let wanted = Set(model.names.blocks[1].map(\.name))
    let part = model.makeGradientTape().lossAndGradient(
      of: model, on: batch, scope: .tensors(wanted))
    for name in wanted { #expect(part.gradient[name] == full[name], "\(name)") }
    #expect(part.gradient[model.names.embedding].norm == 0)
    let first = model.makeGradientTape().lossAndGradient(
      of: model, on: batch, scope: .tensors([model.names.embedding]))
    #expect(first.gradient[model.names.embedding] == full[model.names.embedding])
  }

  @Test("a scope of places alone goes back to the tokens")
  func placesAlone() throws {
    let model = try #require(Self.shapes.first { $0.name == "learned places" }).model
    let batch = Self.objectives[0].batch, places = try #require(model.names.positions)
    let part = model.makeGradientTape().lossAndGradient(
      of: model, on: batch, scope: .tensors([places]))
    #expect(part.gradient[places] == model.lossAndGradient(on: batch).gradient[places])
  }

  @Test("a tape that has seen more rows leaves nothing of them in the gradient of fewer")
  func fewerRows() {
    let model = TinyModels.llama(), tape = model.makeGradientTape()
    _ = tape.lossAndGradient(of: model, on: Self.objectives[0].batch, scope: .all)
    let few = TrainingBatch(TinyModels.rows([4], seed: 3))
    #expect(
      tape.lossAndGradient(of: model, on: few, scope: .all) == model.lossAndGradient(on: few))
  }

  @Test("one thread and two give the same bytes")
  func threads() {
    let model = TinyModels.llama()
    let before = Shards.threads
    defer { Shards.threads = before }
    let gradients = [1, 2, 4].map { threads in
      Shards.threads = threads
      return model.lossAndGradient(on: Self.objectives[0].batch)
    }
    #expect(gradients.dropFirst().allSatisfy { $0 == gradients[0] })
  }
}
