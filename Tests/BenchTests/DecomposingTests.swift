@testable import Bench
import Dictionaries
import Foundation
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Models compared by dictionaries")
struct DecomposingTests {
  private let base = TinyModels.llama(layers: 3)
  private let rows = TinyModels.rows([9, 14, 3, 20, 7, 1], seed: 5)
  private let options = ITDADictionary.Options(sparsity: 3, threshold: 0.2, capacity: 32)

  private func plan(
    _ sequenceLength: Int? = nil, batchSize: Int = 32, steps: Int? = nil
  ) -> ReadingPlan {
    ReadingPlan(
      sequenceLength: sequenceLength, batchSize: batchSize, steps: steps,
      context: base.shape.context)
  }

  private func trained(_ layer: Int, _ plan: ReadingPlan) -> SavedITDA {
    ITDATraining(base, layer: layer, rows: rows, plan, documentStart: 1).run(options)
  }

  /// The base with something added to what its second block writes.
  private var finetuned: any LanguageModel {
    var generator = SeededGenerator(seed: 2), model = base.addingMLPBiases()
    model.parameters["model.layers.1.mlp.down_proj.bias"] = generator.direction(
      base.shape.width, norm: 2)
    return model
  }

  private func compare(
    _ first: any LanguageModel, _ second: any LanguageModel, by dictionaries: [SavedITDA],
    file: URL? = nil
  ) throws -> [ITDAComparison.Result] {
    try ITDAComparison(first, second, dictionaries, rows: rows, plan(), documentStart: 1)
      .run(savingTo: file)
  }

  @Test("atoms are the activations of the tokens that they name, and steps bound what is read")
  func training() {
    let saved = trained(1, plan())
    let atoms = saved.dictionary.atoms
    #expect(atoms.rows > 5)
    for (atom, source) in saved.dictionary.provenance.enumerated() {
      let row = rows[source.document]
      let pass = base.forward(TokenBatch([row]), recording: [.residualPost(layer: 1)])
      let stream = Tensor(Array(pass[.residualPost(layer: 1)].row(source.position)))
      #expect(cosine(stream, Tensor(Array(atoms.row(atom)))) > 1 - 1e-5)
      #expect(saved.contexts[atom] == Array(row[...source.position].suffix(12)))
      // A row's first token has a stream of its own kind, and counts where it is alone.
      #expect(source.position > 0 || row.count == 1)
    }
    let counted = rows.map { row in row.indices.count { row[$0] != 1 && ($0 > 0 || row.count == 1) }
    }
    #expect(saved.origin.tokens == counted.reduce(0, +))
    let two = ITDATraining(
      base, layer: 1, rows: rows, plan(batchSize: 2, steps: 1), documentStart: 1)
    #expect(two.tokens == counted[0] + counted[1])
    // Each of four pieces of eleven tokens and less has a first token that does not count: the last has no other.
    let cut = ITDATraining(
      base, layer: 1, rows: [rows[1] + rows[3]], plan(11), documentStart: nil)
    #expect(cut.tokens == 34 - 4)
    let contexts = cut.run(options).dictionary.provenance.map { $0.position % 11 + 1 }
    #expect(cut.run(options).contexts.map(\.count) == contexts)
  }

  @Test("a threshold that is found gives about as many atoms as were asked for")
  func threshold() {
    let training = ITDATraining(base, layer: 1, rows: rows, plan(), documentStart: 1)
    let found = training.threshold(atoms: 9, sparsity: 3)
    let saved = training.run(.init(sparsity: 3, threshold: found, capacity: 100))
    #expect((7...9).contains(saved.dictionary.count))
  }

  @Test("a folder gives back what was written, and refuses what is of another model")
  func folders() throws {
    try Fixtures.withTemporaryFolder { place in
      let folder = place.appending(path: "dictionary"), saved = trained(1, plan())
      try saved.write(to: folder)
      let read = try SavedITDA(contentsOf: folder)
      #expect(read.dictionary.atoms == saved.dictionary.atoms)
      #expect(read.dictionary.provenance == saved.dictionary.provenance)
      #expect(read.origin == saved.origin && read.contexts == saved.contexts)
      let used = read.dictionary.options
      #expect(used.sparsity == options.sparsity && used.threshold == options.threshold)
      try read.check(base, folder)
      #expect(throws: DictionaryError.self) { try read.check(finetuned, folder) }
      try read.check(finetuned, folder, insists: true)
      let deeper = TinyModels.llama(layers: 4)
      let error = #expect(throws: DictionaryError.self) {
        try read.check(deeper, folder, insists: true)
      }
      #expect(error?.description.contains("block 1 of 3; the base has 4") == true)
      #expect(throws: DictionaryError.self) {
        try SavedITDA(contentsOf: place.appending(path: "nothing"))
      }
      // Something else under the same names.
      let file = folder.appending(path: "dictionary.safetensors")
      let layout = Safetensors.Layout([
        .init("atoms", .float32, [0, 12]), .init("provenance", .int64, [1, 2]),
      ])
      try Safetensors.write(layout, to: file) { try $0.write([0, 1], to: "provenance") }
      for isMarked in [true, false] {
        let error = #expect(throws: DictionaryError.self) { try SavedITDA(contentsOf: folder) }
        #expect(error?.description.contains(isMarked ? "was changed" : "holds no atoms") == true)
        try? FileManager.default.removeItem(at: folder.appending(path: ".assay.json"))
      }
    }
  }

  @Test("a model and itself: no order, the same atoms; the other way round every sign turns")
  func symmetry() throws {
    let saved = trained(1, plan())
    let same = try compare(base, base, by: [saved])[0]
    #expect(same.sortedIndices.isEmpty && same.overlap == 1 && same.newContexts.isEmpty)
    #expect(same.activationDifferences.allSatisfy { $0 == 0 })
    let there = try compare(base, finetuned, by: [saved])[0]
    let back = try compare(finetuned, base, by: [saved])[0]
    #expect(there.sortedIndices.count == saved.dictionary.count && there.overlap < 1)
    #expect(there.activationDifferences == back.activationDifferences.map { -$0 })
    #expect(there.standardised == back.standardised.map { -$0 })
    #expect(there.unexplained.finetuned == back.unexplained.base)
    #expect(there.unexplained.finetuned > 1.5 * there.unexplained.base)
  }

  @Test("several blocks at once say what each says alone; before the change nothing differs")
  func blocks() throws {
    let all = [2, 0, 1].map { trained($0, plan()) }
    let together = try compare(base, finetuned, by: all)
    #expect(together.map(\.layer) == [2, 0, 1])
    #expect(together[1].sortedIndices.isEmpty)
    for (result, saved) in zip(together, all) {
      let alone = try compare(base, finetuned, by: [saved])[0]
      #expect(alone.activationDifferences == result.activationDifferences)
      #expect(alone.sortedIndices == result.sortedIndices)
    }
  }

  @Test("the file holds the activations and codes that the differences are made of")
  func file() throws {
    try Fixtures.withTemporaryFolder { place in
      let url = place.appending(path: "raw.safetensors"), saved = trained(1, plan())
      let result = try compare(base, finetuned, by: [saved], file: url)[0]
      let entries = Dictionary(try Safetensors.open(url).map { ($0.name, $0) }) { first, _ in first
      }
      func tensor(_ name: String) throws -> Tensor {
        try #require(entries["layers.1.\(name)"]).read()
      }
      let documents = try #require(entries["documents"]).integers()
      let codes = try ["base", "finetuned"].map { side in
        let streams = try tensor("\(side).activations")
        let codes = saved.dictionary.codes(of: streams)
        let values = try tensor("\(side).codes.values")
        #expect(codes.rows.flatMap { $0.map(\.value) } == values.scalars.filter { $0 != 0 })
        return codes
      }
      var generator = SeededGenerator(seed: 0)
      let changes = LatentChanges(
        from: codes[0], to: codes[1],
        documents: Set(documents).sorted().map { row in
          documents.indices.filter { documents[$0] == row }
        }, flips: 1, using: &generator)
      for (own, other) in zip(changes.differences, result.activationDifferences) {
        #expect(abs(own - other) < 1e-5)
      }
      #expect(try tensor("activation_differences").scalars == result.activationDifferences)
      #expect(
        try #require(entries["layers.1.sorted_indices"]).integers() == result.sortedIndices)
    }
  }

  @Test("documents count alike, however many there are and however few of them are read")
  func documents() throws {
    let saved = trained(1, plan()), many = TinyModels.rows((0..<1200).map { 3 + $0 % 4 }, seed: 8)
    func results(_ rows: [[Int]], _ plan: ReadingPlan) throws -> ITDAComparison.Result {
      try ITDAComparison(base, finetuned, [saved], rows: rows, plan, documentStart: 1).run()[0]
    }
    let all = try results(many, plan())
    #expect(all.documents == many.count { $0.dropFirst().contains { $0 != 1 } })
    let single = try many.map { try results([$0], plan()) }.filter { $0.tokens > 0 }
    for atom in 0..<saved.dictionary.count {
      let mean = single.map { $0.activationDifferences[atom] }.mean
      #expect(abs(mean - all.activationDifferences[atom]) < 1e-5)
    }
    let some = try results(many, plan(batchSize: 10, steps: 2))
    let own = try results(Array(many.prefix(20)), plan())
    #expect(some.standardised == own.standardised && some.documents == own.documents)
  }
}
