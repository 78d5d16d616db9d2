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
      var method = TranscoderAdapter()
      method.sparsity = 1
      let evidence = try evidence(method, finetuned, access: .unrelated)
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

  @Test("an autoencoder turns where the models differ, and not by being taken further on the same")
  func stages() throws {
    let (finetuned, direction) = varying()
    let evidence = try evidence(StageWise(), finetuned, access: .pool)
    // Of a single latent, beside what batches do to it.
    #expect(abs(cosine(try #require(evidence.proposedDirection), direction)) > 0.4)
    let rows = try #require(evidence.table("48 latents"))
    let turned = rows.compactMap { Float($0[3]) }
    #expect(turned.count == rows.count && (turned.max() ?? 0) > 1e-3)
    // What is turned by the text turns in both models alike, and is more.
    #expect(rows.compactMap { Float($0[5]) }.contains { $0 > 0.01 })
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
