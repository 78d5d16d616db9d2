import Bench
import Diffing
import Foundation
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Finetunes in which nothing is planted, made for one's own pair")
struct BenignFinetunesTests {
  private static let target = "model.layers.1.mlp.down_proj.weight"

  /// A pair whose finetune changed one matrix, in a project of its own that has Assay's texts.
  private func withPair(
    isLowRank: Bool, by size: Float = 0.3, _ body: (Project, PairFolders) throws -> Void
  ) throws {
    try Fixtures.withTemporaryFolder { folder in
      try FileManager.default.createSymbolicLink(
        at: folder.appending(path: "Organisms"),
        withDestinationURL: Fixtures.repository.appending(path: "Organisms"))
      let file = Fixtures.url("tokenizers/gpt2/tokenizer.json")
      let tokenizer = try HuggingFaceFolder.readTokenizer(file.deletingLastPathComponent())
      let base = TinyModels.llama(vocabulary: tokenizer.count, deviation: 0.1)
      let (first, second) = (folder.appending(path: "base"), folder.appending(path: "other"))
      try HuggingFaceFolder.write(base, tokenizer: nil, to: first)
      try FileManager.default.copyItem(at: file, to: first.appending(path: "tokenizer.json"))
      var generator = SeededGenerator(seed: 5)
      if isLowRank {
        var lora = LoRA(
          rank: 2, alpha: 4, targets: [Self.target], layout: base.parameters.layout,
          using: &generator)
        lora.factors["\(Self.target).B"] = generator.direction(12 * 2, norm: size)
          .reshaped([12, 2])
        try PEFTAdapter.write(lora, base: "base", to: second)
      } else {
        let change = generator.direction(12 * 10, norm: size).reshaped([12, 10])
        var finetuned = base
        finetuned.parameters[Self.target] = base.parameters[Self.target] + change
        try HuggingFaceFolder.write(finetuned, tokenizer: nil, to: second)
      }
      let models = try PairFolders(base: first, finetuned: second, insists: true)
      try body(Project(root: folder), models)
    }
  }

  private func change(_ pair: PairFolders) -> Tensor {
    pair.finetuned.parameters[Self.target] - pair.base.parameters[Self.target]
  }

  @Test("they change what the pair's did, as far, by training on text", arguments: [true, false])
  func finetunes(isLowRank: Bool) throws {
    try withPair(isLowRank: isLowRank) { project, models in
      let finetunes = try BenignFinetunes(project, models)
      var steps = 0
      let (first, _) = try finetunes.pair(0) { _ in steps += 1 }
      #expect(steps > 0)
      #expect(
        first.finetuned.parameters.isAdaptation(of: models.base.parameters) == isLowRank)
      #expect(abs(change(first).norm / change(models).norm - 1) < 1e-3)
      for name in models.base.parameters.layout.names where name != Self.target {
        #expect(first.finetuned.parameters.hasSame(name, as: models.base.parameters), "\(name)")
      }
      // Trained on text, it is better on that text than a change of the same size at random.
      let rows = try benignRows(project, models)
      #expect(first.finetuned.meanLoss(rows) < models.base.meanLoss(rows) - 1e-3)
      #expect(models.finetuned.meanLoss(rows) > first.finetuned.meanLoss(rows))
      let (second, _) = try finetunes.pair(1) { _ in }
      #expect(abs(cosine(change(first), change(second))) < 0.999)
    }
  }

  private func benignRows(_ project: Project, _ models: PairFolders) throws -> [[Int]] {
    let text = project.root.appending(path: "Organisms/Texts/benign/astronomy.txt").path
    let source = try TextSource(project, models: models, files: .init(text: text))
    let batch = try #require(source.prompts(.unrelated)).text
    return (0..<batch.rows).map { Array(batch.row($0)) }
  }

  @Test("what was trained is kept; a damaged one is trained anew", arguments: [true, false])
  func kept(isLowRank: Bool) throws {
    try withPair(isLowRank: isLowRank) { project, models in
      func finetune() throws -> (change: Tensor, steps: Int) {
        var steps = 0
        let (pair, _) = try BenignFinetunes(project, models).pair(0) { _ in steps += 1 }
        return (change(pair), steps)
      }
      let first = try finetune(), again = try finetune()
      #expect(first.steps > 0 && again.steps == 0)
      expectClose(again.change, first.change, tolerance: 1e-5)
      let files = try #require(
        FileManager.default.enumerator(at: project.cache, includingPropertiesForKeys: nil))
      for case let file as URL in files where file.pathExtension == "safetensors" {
        try Data("damaged".utf8).write(to: file)
      }
      let anew = try finetune()
      #expect(anew.steps == first.steps)
      expectClose(anew.change, first.change, tolerance: 1e-5)
    }
  }

  @Test("a pair of one model, or one that reads no text, is told so")
  func refused() throws {
    try withPair(isLowRank: false, by: 0) { project, models in
      #expect(throws: CalibrationError.self) { try BenignFinetunes(project, models) }
    }
    try withPair(isLowRank: false) { project, models in
      try FileManager.default.removeItem(at: project.root.appending(path: "Organisms"))
      #expect(throws: CalibrationError.self) { try BenignFinetunes(project, models) }
    }
  }
}
