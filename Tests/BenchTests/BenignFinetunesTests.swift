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
    isLowRank: Bool, by size: Float = 0.3, targets: [String] = [target],
    _ body: (Project, PairFolders) throws -> Void
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
          rank: 2, alpha: 4, targets: targets, layout: base.parameters.layout,
          using: &generator)
        for target in targets {
          let shape = lora.factors.layout["\(target).B"].shape
          lora.factors["\(target).B"] = generator.direction(shape[0] * shape[1], norm: size)
            .reshaped(shape)
        }
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

  @Test("what is kept for one base is not taken for another's")
  func otherBase() throws {
    try withPair(isLowRank: false) { project, models in
      _ = try BenignFinetunes(project, models).pair(0) { _ in }
      let file = Fixtures.url("tokenizers/gpt2/tokenizer.json")
      let folders = try [models.base, models.finetuned].enumerated().map { index, model in
        var model = model
        model.parameters["model.norm.weight"] = model.parameters["model.norm.weight"].scaled(by: 2)
        let folder = project.root.appending(path: "moved \(index)")
        try HuggingFaceFolder.write(model, tokenizer: nil, to: folder)
        try FileManager.default.copyItem(at: file, to: folder.appending(path: "tokenizer.json"))
        return folder
      }
      let moved = try PairFolders(base: folders[0], finetuned: folders[1], insists: true)
      var steps = 0
      _ = try BenignFinetunes(project, moved).pair(0) { _ in steps += 1 }
      #expect(steps > 0)
    }
  }

  @Test("what is kept for a change of one module is not taken for another's")
  func otherModule() throws {
    let other = "model.layers.0.mlp.down_proj.weight"
    try withPair(isLowRank: false) { project, models in
      _ = try BenignFinetunes(project, models).pair(0) { _ in }
      var moved = models.base
      moved.parameters[other] = moved.parameters[other] + change(models)
      let folder = project.root.appending(path: "moved")
      try HuggingFaceFolder.write(moved, tokenizer: nil, to: folder)
      let pair = try PairFolders(
        base: project.root.appending(path: "base"), finetuned: folder, insists: true)
      var steps = 0
      let (benign, _) = try BenignFinetunes(project, pair).pair(0) { _ in steps += 1 }
      #expect(steps > 0)
      #expect(!benign.finetuned.parameters.hasSame(other, as: models.base.parameters))
    }
  }

  @Test("a kept one of other shapes is trained anew")
  func otherShapes() throws {
    try withPair(isLowRank: false) { project, models in
      _ = try BenignFinetunes(project, models).pair(0) { _ in }
      let store = project.cache.appending(path: "benign")
      let digest = try #require(FileManager.default.contentsOfDirectory(atPath: store.path).first)
      let folder = store.appending(path: digest).appending(path: "0")
      try FileManager.default.removeItem(at: folder)
      try HuggingFaceFolder.write(TinyModels.llama(layers: 1), tokenizer: nil, to: folder)
      var steps = 0
      _ = try BenignFinetunes(project, models).pair(0) { _ in steps += 1 }
      #expect(steps > 0)
    }
  }

  @Test("training ends where the change is as large as the pair's")
  func endsEarly() throws {
    try withPair(isLowRank: false, by: 0.01) { project, models in
      var steps = 0
      let (_, scale) = try BenignFinetunes(project, models).pair(0) { _ in steps += 1 }
      #expect((2..<100).contains(steps))
      #expect(scale > 0.5 && scale <= 1)
    }
  }

  @Test("of an adapter that goes beyond the blocks only those are trained")
  func beyondBlocks() throws {
    let head = "lm_head.weight"
    try withPair(isLowRank: true, targets: [Self.target, head]) { project, models in
      let (pair, _) = try BenignFinetunes(project, models).pair(0) { _ in }
      #expect(pair.finetuned.parameters.hasSame(head, as: models.base.parameters))
      #expect(abs(change(pair).norm / change(models).norm - 1) < 1e-3)
    }
    try withPair(isLowRank: true, targets: [head]) { project, models in
      #expect(throws: CalibrationError.self) { try BenignFinetunes(project, models) }
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
