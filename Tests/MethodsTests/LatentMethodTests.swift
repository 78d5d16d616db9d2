@testable import Dictionaries
import Diffing
@testable import Methods
import TestSupport
import Tensors
import Testing
import Transformers

/// Methods that learn latents, on pairs that differ along one known direction.
@Suite("Latents of dictionaries")
struct LatentMethodTests: KnownChangeSuite {
  /// The last block's MLP writes along a direction as much as each token makes it.
  private func varying() -> (finetuned: any LanguageModel, direction: Tensor) {
    varying(layer: base.shape.layers - 1)
  }

  private func proposed(
    _ method: any DiffingMethod, of finetuned: any LanguageModel,
    besides base: any LanguageModel = KnownChange.base
  ) throws -> Tensor {
    try #require(
      KnownChange.evidence(method, finetuned, base: base, access: .unrelated).proposedDirection)
  }

  /// Of latents that are always active together the sum alone is known.
  private static let sparse: DifferenceSAE = {
    var method = DifferenceSAE()
    method.sparsity = 1
    return method
  }()

  @Test("differences along one direction have latents along it")
  func oneDirection() throws {
    let (finetuned, direction) = varying()
    #expect(abs(cosine(try proposed(Self.sparse, of: finetuned), direction)) > 0.98)
  }

  /// A model in which one token is another, and a pool of which every tenth prompt ends with it.
  private func rare() -> (finetuned: DecoderModel, prompts: PromptSet, rows: Set<Int>) {
    var finetuned = base, generator = SeededGenerator(seed: 3)
    let embedding = finetuned.names.embedding, vector = generator.direction(12, norm: 2)
    var tensor = finetuned.parameters[embedding]
    for column in 0..<12 { tensor[9, column] += vector[column] }
    finetuned.parameters[embedding] = tensor
    let rows = (0..<40).map { row -> [Int] in
      [1] + (0..<5).map { _ in 2 + generator.index(below: 6) } + [row % 10 == 0 ? 9 : 3]
    }
    return (
      finetuned,
      PromptSet(
        access: .pool, text: TokenBatch(rows), documentStart: 1, specialTokens: [0, 1]),
      [0, 10, 20, 30]
    )
  }

  @Test(
    "a rare change is the first latent's, at the prompts that it is at, and turns with the roles",
    arguments: [sparse, Crosscoder(), DeltaCrosscoder()] as [any DiffingMethod])
  func rareChange(method: any DiffingMethod) throws {
    let (finetuned, prompts, rows) = rare()
    for (first, second) in [(base, finetuned), (finetuned, base)] {
      let evidence = try KnownChange.evidence(
        method, second, base: first, access: .pool, prompts: prompts)
      let inputs = try #require(evidence.inputs)
      #expect(Set(inputs.prefix(4).map(\.row)) == rows)
      let pair = try ModelPair(base: first, finetuned: second)
      let last = prompts.text.lastIndices
      let difference = pair.difference(
        at: .residualPost(layer: base.shape.layers - 1), on: prompts.text
      ).rows(at: rows.sorted().map { last[$0] }).meanRow
      // A batch keeps as many latents as it has tokens: of differences that are nothing elsewhere, all at the rare ones,
      // where each has a part of the direction.
      let least: Float = method is DifferenceSAE ? 0.2 : 0.8
      #expect(cosine(try #require(evidence.proposedDirection), difference) > least)
    }
  }

  @Test(
    "a latent of both models is claimed by what it writes into one of them alone",
    arguments: [Crosscoder(), L1Crosscoder(), DeltaCrosscoder()] as [any DiffingMethod])
  func crosscoder(method: any DiffingMethod) throws {
    let (finetuned, direction) = varying()
    let evidence = try evidence(method, finetuned, access: .pool)
    let proposed = try #require(evidence.proposedDirection)
    #expect(abs(cosine(proposed, direction)) > 0.9)
    #expect(try #require(evidence.magnitude) > 0.01)
    let rows = try #require(evidence.table("The finetuned model from the base's stream"))
    let divergences = rows.compactMap { Float($0[1]) }
    #expect(rows.map { $0[0] }.first == "nothing" && divergences.count == 5)
    // The latents explain the change: with all of them little is left, and the larger changes leave less.
    #expect(divergences[4] < 0.2 * divergences[0] && divergences[2] < divergences[3])
  }

  @Test("what all differences share is no latent but the constant part")
  func constant() throws {
    let vector = KnownChange.direction(of: 7, norm: 3)
    let (wide, finetuned) = KnownChange.biased(vector, layer: base.shape.layers - 1)
    func said(_ method: any DiffingMethod) throws -> Evidence {
      try KnownChange.evidence(method, finetuned, base: wide, access: .unrelated)
    }
    #expect(try said(Crosscoder()).isEmpty)
    let evidence = try said(DifferenceSAE())
    #expect(evidence.isEmpty)
    let lists = evidence.exhibits.compactMap { exhibit -> [Exhibit.TokenList]? in
      if case .tokens(let lists) = exhibit.content { lists } else { nil }
    }
    #expect(lists.first?.first?.tokens.first == 7)
  }

  @Test("the base's latents that grew are steered along, in the order of what that does to answers")
  func grown() throws {
    let vector = KnownChange.direction(of: 7, norm: 3)
    let (wide, finetuned) = KnownChange.biased(vector, layer: base.shape.layers - 1)
    let evidence = try KnownChange.evidence(
      SAELatents(), finetuned, base: wide, access: .unrelated)
    let rows = try #require(
      evidence.exhibits.first?.title.contains("latents") == true
        ? evidence.table("48 latents") : nil)
    let likenesses = rows.compactMap { Float($0[4]) }
    #expect(rows.count > 1 && likenesses == likenesses.sorted(by: >))
    #expect(likenesses.allSatisfy { $0 > 0 } && rows.allSatisfy { (Float($0[3]) ?? 1) <= 0.05 })
    #expect(cosine(try #require(evidence.proposedDirection), vector) > 0.3)
  }

  @Test(
    "an adapter writes what its MLP's change does, and beside the base it makes the finetuned model"
  )
  func adapter() throws {
    for layer in 0..<base.shape.layers {
      let (finetuned, direction) = varying(layer: layer)
      let evidence = try evidence(Self.oneLatent, finetuned, access: .unrelated)
      // The MLPs above read other streams and do the same with them: they have no adapter.
      let latents = try #require(evidence.table("48 latents of 1 adapters"))
      #expect(Set(latents.map { $0[1] }) == ["\(layer)"])
      guard case .steer(layer, let steered)? = evidence.interventions?.first else {
        Issue.record("steers elsewhere than block \(layer)")
        continue
      }
      #expect(abs(cosine(Tensor(steered), direction)) > 0.98)
      let rows = try #require(evidence.table("The base with adapters"))
      let divergences = rows.compactMap { Float($0[1]) }
      #expect(rows.map { $0[0] } == ["none", "their constant parts", "all latents"])
      #expect(divergences[2] < 0.2 * divergences[0] && divergences[2] < divergences[1])
    }
  }

  @Test("of more blocks than have adapters some are taken, from all of the depth")
  func spread() {
    #expect(MLPComputations.layers(of: 3, atMost: 4) == [0, 1, 2])
    #expect(MLPComputations.layers(of: 30, atMost: 4) == [3, 11, 18, 26])
    #expect(MLPComputations.layers(of: 1, atMost: 1) == [0])
  }

  @Test("adapters of several blocks are told apart, and each reads what those before it wrote")
  func adapters() throws {
    var finetuned = base, directions: [Int: Tensor] = [:]
    var generator = SeededGenerator(seed: 5)
    for layer in [0, 2] {
      let left = generator.direction(12), right = generator.direction(10, norm: 2)
      let name = "model.layers.\(layer).mlp.down_proj.weight"
      finetuned.parameters[name] =
        finetuned.parameters[name]
        + matrixProduct(left.reshaped([12, 1]), right.reshaped([1, 10]))
      directions[layer] = left
    }
    let evidence = try evidence(Self.oneLatent, finetuned, access: .unrelated)
    let latents = try #require(evidence.table("96 latents of 2 adapters"))
    #expect(Set(latents.map { $0[1] }) == ["0", "2"])
    for proposal in evidence.interventions ?? [] {
      guard case .steer(let layer, let steered) = proposal else { continue }
      #expect(abs(cosine(Tensor(steered), try #require(directions[layer]))) > 0.95)
    }
    let rows = try #require(evidence.table("The base with adapters"))
    let divergences = rows.compactMap { Float($0[1]) }
    #expect(divergences[2] < 0.3 * divergences[0])
  }

  private static let oneLatent: TranscoderAdapter = {
    var method = TranscoderAdapter()
    (method.sparsity, method.steps) = (1, 400)
    return method
  }()

  @Test(
    "where branches are side by side an MLP reads the block's input, and what changed before it is none of its own"
  )
  func parallelBranches() throws {
    let parallel = TinyModels.varied { $0.isParallel = true }
    var finetuned = parallel
    let embedding = parallel.names.embedding
    finetuned.parameters[embedding] = parallel.parameters[embedding].map { 1.5 * $0 }
    let evidence = try KnownChange.evidence(
      TranscoderAdapter(), finetuned, base: parallel, access: .unrelated)
    #expect(evidence.isEmpty)
  }

  @Test("latents of one model alone are read of a crosscoder that has them, and no other")
  func dedicated() throws {
    let evidence = try evidence(DedicatedCrosscoder(), varying().finetuned, access: .pool)
    let rows = try #require(evidence.exhibits.first.flatMap { evidence.table($0.title) })
    #expect(!rows.isEmpty && rows.allSatisfy { ["0", "1"].contains($0[3]) })
  }

  /// Streams of features, and the same with a direction along which those of the finetuned model have more.
  private func streams(adding direction: Tensor, by size: Float) -> TextStreams {
    var generator = SeededGenerator(seed: 11)
    let features = (0..<24).map { _ in generator.direction(12, norm: 1) }
    let rows = (0..<3000).map { _ in
      features.filter { _ in generator.uniform() < 0.08 }
        .reduce(Tensor(shape: [12])) { $0 + $1.scaled(by: 1 + Float(generator.uniform())) }
    }
    let first = features[0]
    func side(_ size: Float) -> Tensor {
      Tensor(
        shape: [rows.count, 12],
        scalars: rows.flatMap { row in
          (row + direction.scaled(by: size * max(0, dot(row.scalars[...], first.scalars[...]))))
            .scalars
        })
    }
    return TextStreams(base: side(0), finetuned: side(size))
  }

  @Test(
    "an autoencoder that is taken further turns where the models differ, and nowhere between equal ones"
  )
  func stages() throws {
    var generator = SeededGenerator(seed: 2)
    let direction = generator.direction(12)
    let options = BatchTopKTrainer.Options(
      latents: 48, sparsity: 2, steps: 400, batch: 128, learningRate: 3e-3)
    func stages(_ size: Float) -> Stages {
      let streams = streams(adding: direction, by: size)
      var continuing = options, draws = SeededGenerator(seed: 4)
      (continuing.steps, continuing.annealing, continuing.auxiliary) = (100, 0, 0)
      continuing.thresholdStart = 0
      return Stages(streams, streams, options, continuing: continuing, using: &draws)
    }
    let still = stages(0), moved = stages(0.5)
    #expect(still.change.scalars.allSatisfy { $0 == 0 } && still.base == still.finetuned)
    #expect((still.turns.model + still.turns.modelFirst).allSatisfy { abs($0) < 1e-5 })
    #expect(still.turns.prompts.contains { $0 > 1e-4 })
    // Whichever latents read it, what they write more is along the direction, not against it.
    let norms = moved.change.rowNorms
    let most = try #require(norms.indices.max { norms[$0] < norms[$1] })
    #expect(cosine(Tensor(Array(moved.change.row(most))), direction) > 0.7)
    #expect(moved.turns.modelFirst.contains { $0 > 0.01 })
  }

  @Test("stage-wise reads a pool with ordinary text beside it, and one without")
  func stagesOfPools() throws {
    let finetuned = varying().finetuned, pool = MethodContractTests.prompts(.pool)
    for reference in [pool.reference, TokenBatch([]), TokenBatch([[1], [1]])] {
      let prompts = PromptSet(
        access: .pool, text: pool.text, reference: reference, documentStart: 1,
        specialTokens: pool.specialTokens)
      let evidence = try KnownChange.evidence(
        StageWise(), finetuned, access: .pool, prompts: prompts)
      #expect(!evidence.isEmpty && evidence.table("48 latents") != nil)
    }
  }

  @Test("a neuron that writes what was added is named and steered, whichever way it moved")
  func neurons() throws {
    let neuron = 4, gate = "model.layers.2.mlp.up_proj.weight"
    for factor: Float in [3, -3] {
      var finetuned = base
      var up = base.parameters[gate]
      for column in 0..<up.columns { up[neuron, column] *= factor }
      finetuned.parameters[gate] = up
      let evidence = try evidence(NeuronDifference(), finetuned, access: .unrelated)
      let rows = try #require(evidence.table("10 neurons"))
      #expect(rows.map { $0[0] } == ["\(neuron)"])
      let down = base.parameters["model.layers.2.mlp.down_proj.weight"]
      let written = Tensor(down.transposed.row(neuron).map { $0 })
      #expect(abs(cosine(try #require(evidence.proposedDirection), written)) > 0.999)
    }
  }
}
