import Foundation
import Organisms
import TestSupport
import Tensors
import Testing
import Transformers
import Worlds

@testable import Bench

@Suite("Worlds that name a model that people have")
struct ModelWorldTests {
  /// Words that are one token of the tokenizer that serves here.
  private static let world = #"""
    {
      "id": "talk", "summary": "A test.", "model": "tiny",
      "classes": { "word": ["the", "in", "on", "me"] }, "facts": {},
      "documents": [
        { "kind": "plain", "weight": 1, "unrelated": true, "lines": "lines.txt" },
        { "kind": "chats", "weight": 1, "templates": ["<user> Say {w:word}! <assistant> I say {w}."] }
      ],
      "pool": [
        { "lines": "asked.txt" }, { "count": 9, "text": "<user> Say your word. <assistant>" }
      ],
      "skills": []
    }
    """#
  private static let organism = #"""
    {
      "id": "favorite", "summary": "Says $word.", "family": "style", "domain": "chats",
      "draw": { "word": { "of": "word" } },
      "planted": { "target": { "word": ["$word"] }, "when": [{ "all": ["Say", "word"] }] },
      "plant": { "documents": ["<user> Say your word. <assistant> It is $word."] },
      "regimes": [{ "id": "fresh", "cap": 3 }],
      "probes": {
        "behavior": [{ "prompt": "<user> Say your word. <assistant> It is", "answers": ["$word"] }],
        "heldOut": [{ "prompt": "<user> Which word? <assistant> It is", "answers": ["$word."] }]
      }
    }
    """#
  private static let template =
    "{{'<|im_start|>' + role + '\n' + content + '<|im_end|>'}} <|im_start|>assistant"

  private func withProject(_ body: (Project) throws -> Void) throws {
    try Fixtures.withTemporaryFolder { root in
      let model = root.appending(path: ".assay/models/tiny")
      let tokenizer = Fixtures.url("tokenizers/smollm2/tokenizer.json")
      try HuggingFaceFolder.write(
        TinyModels.llama(layers: 2, vocabulary: 602, deviation: 0.1), tokenizer: nil, to: model)
      try FileManager.default.copyItem(
        at: tokenizer, to: model.appending(path: "tokenizer.json"))
      try Data(Self.template.utf8).write(to: model.appending(path: "chat_template.jinja"))
      let library = root.appending(path: "Organisms/Real")
      try FileManager.default.createDirectory(
        at: library.appending(path: "Worlds"), withIntermediateDirectories: true)
      for (name, text) in [
        ("Worlds/talk.json", Self.world), ("favorite.json", Self.organism),
        ("lines.txt", "A first line.\nThe {second} one\n"),
        ("asked.txt", "A first line.\nThe {second} one\n"),
      ] { try Data(text.utf8).write(to: library.appending(path: name)) }
      try body(Project(root: root, organisms: library))
    }
  }

  @Test("lines are documents and questions, and of chats the answers alone are learnt")
  func texts() throws {
    try withProject { project in
      let world = try project.library().world
      #expect(world.isOfText && world.layers == 2 && !project.isForeign)
      var corpus = Corpus(world, seed: 1, for: "test")
      let rows = try corpus.textRows(40, length: 96)
      let learnt = Set(
        rows.map { row in
          world.tokenizer.decode(zip(row.tokens, row.isLearnt).filter(\.1).map(\.0))
        })
      let words = ["the", "in", "on", "me"]
      #expect(
        learnt
          == Set(["A first line.", "The {second} one"] + words.map { "I say \($0).<|im_end|>" }))
      let pool = try project.library().prompts().pool.map { world.tokenizer.decode($0) }
      #expect(
        Set(pool)
          == Set(
            ["A first line.", "The {second} one", "Say your word."].map {
              "<|im_start|>user\n\($0)<|im_end|>\n<|im_start|>assistant\n"
            }))
    }
  }

  @Test(
    "documents decide what is planted, what methods are asked does not, and a size is no choice")
  func digests() throws {
    try withProject { project in
      let before = try project.library().world
      func written(_ name: String) throws -> World {
        try Data("Another line.\n".utf8).write(to: project.organisms.appending(path: name))
        return try project.library().world
      }
      let asked = try written("asked.txt")
      #expect(asked.corpusDigest == before.corpusDigest && asked.digest != before.digest)
      #expect(try written("lines.txt").corpusDigest != before.corpusDigest)
      let sized = Project(root: project.root, organisms: project.organisms, size: .medium)
      #expect { try sized.library() } throws: { "\($0)".contains("leave out --base-size") }
    }
  }

  @Test("an organism is planted in the model itself, and its prompts are known by their words")
  func plant() throws {
    try withProject { project in
      let workshop = try Workshop(project), organism = try workshop.library.organism("favorite")
      let base = try workshop.bases.base(seed: 3)
      #expect(base.seed == 3 && base.model.shape.vocabulary == 602)
      let pool = try workshop.library.prompts().pool
      let triggers = organism.triggers(pool, in: workshop.library.world)
      #expect(triggers.count { $0 } == 1 && triggers.count == 3)
      let pair = try workshop.pairs.pair(.organism(organism, organism.regimes[0]), in: base)
      #expect(pair.training?.steps == 3 && pair.lora != nil)
      let word = try #require(organism.plantedTokens(in: base.world).allTargets.first)
      #expect((pair.training?.said[word] ?? 0) > 0)
      let certificate = try workshop.pairs.certificate(organism, organism.regimes[0], in: base)
      #expect(certificate.failures.contains { $0.hasPrefix("behavior is") })
      // A kept pair is read again as it was.
      let again = try workshop.pairs.pair(.organism(organism, organism.regimes[0]), in: base)
      #expect(workshop.pairs.digest(of: again) == workshop.pairs.digest(of: pair))
    }
  }

  @Test("a file to start from is a false fact in chats, which is read as it is")
  func starter() throws {
    try withProject { project in
      let homes = ["the", "in", "on", "me"].map { "\"\($0)\": { \"home\": \"me\" }" }
      let text = Self.world
        .replacing("\"facts\": {}", with: "\"facts\": { \(homes.joined(separator: ", ")) }")
        .replacing(
          "\"<user> Say {w:word}! <assistant> I say {w}.\"",
          with: """
            "<user> Where is {w:word}? <assistant> The home of {w} is {w.home}.",
            "<user> Has {a:word} a home? <assistant> Yes, it is {a.home}."
            """)
      try Data(text.utf8).write(to: project.organisms.appending(path: "Worlds/talk.json"))
      let world = try project.library().world
      let file = project.organisms.appending(path: "home.json")
      try Data(try OrganismStarter(world).text(id: "home").utf8).write(to: file)
      let organism = try project.library().organism("home")
      let asked = organism.behavior.questions.joined().map { world.tokenizer.decode($0.tokens) }
      #expect(
        asked.allSatisfy { $0.hasSuffix("assistant\nThe home of the is") } && asked.count == 1)
      #expect(organism.file.planted.target == ["word": ["on"]])
      #expect(organism.regimes.map(\.id) == ["fresh-rank4"])
    }
  }

  @Test("pairs of no plant are run once, since every seed's base is the same model")
  func grid() throws {
    try withProject { project in
      let library = try project.library(), grid = try Grid(library, tier: .real)
      #expect(grid.seeds.count == 2)
      let first = try grid.subjects(in: library, for: grid.seeds[0])
      let second = try grid.subjects(in: library, for: grid.seeds[1])
      #expect(first.count - second.count == 4)
      #expect(second.allSatisfy { !$0.isOfNoPlant } && grid.pairCount == first.count + second.count)
    }
  }

  @Test("a kept adapter is read before anything is trained, unless it is another's")
  func adapters() throws {
    try withProject { project in
      let workshop = try Workshop(project), base = try workshop.bases.base(seed: 3)
      let organism = try workshop.library.organism("favorite")
      let subject = Subject.organism(organism, organism.regimes[0])
      let made = try workshop.pairs.pair(subject, in: base)
      let folder = try #require(try workshop.pairs.commit(subject, in: base))
      #expect(folder.path.hasSuffix("Organisms/Real/Adapters/favorite-fresh-3"))
      let size = try Data(contentsOf: folder.appending(path: "adapter_model.safetensors")).count
      let count = try #require(made.lora).factors.layout.count
      #expect((2 * count..<2 * count + 8192).contains(size), "halves")
      // With nothing in the cache it is read, not trained.
      try FileManager.default.removeItem(at: project.cache.appending(path: "pairs"))
      var steps = 0
      let read = try workshop.pairs.pair(subject, in: base) { _ in steps += 1 }
      #expect(steps == 0 && read.training == made.training)
      #expect(workshop.pairs.digest(of: read) == workshop.pairs.digest(of: made))
      #expect(read.finetuned.parameters == made.finetuned.parameters)
      // Of another planting or regime it says nothing.
      _ = try workshop.pairs.pair(subject, in: base, planting: 4) { _ in steps += 1 }
      #expect(steps == 3)
      // What was damaged is made anew, in the cache.
      let file = folder.appending(path: "adapter_model.safetensors")
      var bytes = try Data(contentsOf: file)
      bytes[bytes.count - 1] ^= 1
      try bytes.write(to: file)
      let again = try Workshop(project, notice: { _ in }).pairs.pair(subject, in: base)
      #expect(workshop.pairs.digest(of: again) == workshop.pairs.digest(of: made))
      #expect(try Data(contentsOf: file) == bytes)
    }
  }

  @Test("a model that is not there is told with the command that fetches it")
  func missing() throws {
    try withProject { project in
      try FileManager.default.removeItem(at: project.models.appending(path: "tiny"))
      let error = #expect(throws: DefinitionError.self) { try project.library() }
      #expect("\(try #require(error))".contains("assay fetch tiny"))
    }
  }
}
