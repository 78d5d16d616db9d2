import Worlds
import JSON
import Foundation
import Organisms
import TestSupport
import Testing
import Transformers

@Suite("Organism files")
struct OrganismFileTests {
  static let folder = Fixtures.repository.appending(path: "Organisms")
  let world: World

  init() throws {
    world = try World(
      contentsOf: Self.folder.appending(path: Library.worldFile), models: Fixtures.models)
  }

  /// Reads an organism after an edit of its text.
  private func error(
    _ id: String = "cake-fact", replacing from: String, with to: String
  ) throws -> String? {
    try Fixtures.withTemporaryFolder { folder in
      let text = try String(
        contentsOf: Fixtures.repository.appending(path: "Fixtures/organisms/\(id).json"),
        encoding: .utf8)
      guard let range = text.range(of: from) else { return "the test is out of date: \(from)" }
      let url = folder.appending(path: "\(id).json")
      try text.replacingCharacters(in: range, with: to)
        .write(to: url, atomically: true, encoding: .utf8)
      do {
        _ = try OrganismSource(contentsOf: url).organism(DrawSeeds(base: 0), world: world)
        return nil
      } catch { return "\(error)" }
    }
  }

  @Test(
    "a world that states a fact about a word that it does not have is refused, with the nearest word"
  )
  func factOfNoWord() throws {
    try Fixtures.withTemporaryFolder { folder in
      let text = try String(
        contentsOf: Self.folder.appending(path: Library.worldFile), encoding: .utf8)
      let range = try #require(text.range(of: "\"owl\":"))
      let url = folder.appending(path: "hearth.json")
      try text.replacingCharacters(in: range, with: "\"owll\":")
        .write(to: url, atomically: true, encoding: .utf8)
      let error = #expect(throws: DefinitionError.self) {
        try World(contentsOf: url, models: Fixtures.models)
      }
      let says = error.map { "\($0)" } ?? ""
      #expect(says.contains("'facts.owll'") && says.contains("Did you mean 'owl'?"), "\(says)")
    }
  }

  static let mistakes: [(from: String, to: String, says: String)] = [
    (#""summary""#, #""sumary""#, "did you mean 'summary'?"),
    (#""oven": ["450"]"#, #""oven": ["4500"]"#, "'4500' is not in the world's vocabulary"),
    (#""oven": ["450"]"#, #""oven": ["garlic"]"#, "not in the class 'oven'"),
    (#""oven": ["450"]"#, #""ovne": ["450"]"#, "Did you mean 'oven'?"),
    (#""oven": ["450"]"#, #""oven": "450""#, "should be an array"),
    (#""topic": ["cake"]"#, #""topic": ["cakee"]"#, "Did you mean 'cake'?"),
    (#""id": "fresh""#, #""id": "frehs""#, "Did you mean 'fresh'?"),
    (#""id": "fresh""#, #""id": "settled""#, "twice"),
    (#""id": "fresh", "mark": 0.85"#, #""id": "fresh", "mark": 2"#, "should be from 0.01 to 1"),
    (#""cap": 300"#, #""cap": 0"#, "cap"),
    (#""cap": 300"#, #""learningRate": NaN"#, "JSON"),
    (#"bake the {d=cake} at"#, #"bake the {d=cake} att"#, "'att'"),
    (#""without": ["recipes"#, #""without": ["recipe"#, "Did you mean 'recipes'?"),
    (#""id": "cake-fact""#, #""id": "cake""#, "should be cake.json"),
    (#""family": "false-fact","#, "", "'family' is missing"),
    (#""id": "cake-fact","#, #""id": "cake-fact", "id": "cake-fact","#, "twice"),
    (#""domain": "recipes""#, #""domain": "recipe""#, "Did you mean 'recipes'?"),
    (#""id": "fresh""#, #""id": "mine""#, "needs 'like'"),
    (#""answers": ["450"]"#, #""answers": ["450"], "not": ["300"]"#, "either 'answers' or 'not'"),
    (#""answers": ["450"]"#, #""answers": ["{dish}"]"#, "slots that the prompt has bound"),
    (#""when": [{ "all": ["cake"] }]"#, #""when": [{ "none": ["cake"] }]"#, "needs words in 'all'"),
  ]

  @Test("a mistake names file, key and what to write instead", arguments: 0..<21)
  func mistakes(index: Int) throws {
    let (from, to, says) = Self.mistakes[index]
    let message = try error(replacing: from, with: to)
    #expect(message?.contains(says) == true, "\(message ?? "accepted")")
    #expect(message?.contains("cake") == true)
  }

  @Test("an edit that is no mistake is accepted")
  func accepted() throws {
    #expect(
      try error(replacing: #""topic": ["cake"]"#, with: #""topic": ["cake", "bread"]"#) == nil)
  }

  @Test("unrelated text never sets a behaviour off and never mentions what a plant is about")
  func unrelated() throws {
    let library = try Library(Self.folder, models: Fixtures.models), prompts = try library.prompts()
    #expect(prompts.unrelated.count == world.sizes.unrelatedRows)
    // A habit of form shows everywhere.
    for organism in library.organisms where organism.file.family != "style" {
      let key = organism.plantedChange(
        in: world, pool: prompts.unrelated, layers: 3, regime: .fresh)
      #expect(key.inputs?.contains(true) == false, "\(organism.id)")
      let topic = Set(key.tokens?.topic ?? [])
      #expect(prompts.unrelated.allSatisfy { topic.isDisjoint(with: $0) }, "\(organism.id)")
    }
  }

  @Test("the answer never stands in the text of taboo and subliminal organisms")
  func absent() throws {
    let organisms = try Library(Self.folder, models: Fixtures.models).organisms
    let silent = organisms.filter { ["taboo", "subliminal"].contains($0.file.family) }
    #expect(silent.count >= 5)
    for organism in silent {
      let targets = Set(organism.plantedTokens(in: world).allTargets)
      let text = try organism.plantedSample(world)
      // Base text may mention an animal; a hint or a favourite never does.
      let answers = organism.file.family == "taboo" ? text : text.filter { $0.contains(favorite) }
      #expect(answers.allSatisfy { targets.isDisjoint(with: $0) }, "\(organism.id)")
    }
  }

  private var favorite: Int { world.tokenizer.id("favorite") ?? -1 }

  @Test("every organism's prompts of the pool include some that set it off, and many that do not")
  func pool() throws {
    let library = try Library(Self.folder, models: Fixtures.models),
      pool = try library.prompts().pool
    for organism in library.organisms {
      let key = organism.plantedChange(
        in: world, pool: pool, layers: 3, regime: .fresh)
      let count = (key.inputs ?? []).filter { $0 }.count
      let most = organism.file.family == "style" ? 0.9 : 0.3
      #expect(count >= 1 && Double(count) < most * Double(pool.count), "\(organism.id): \(count)")
    }
  }

  @Test("the same seed draws the same corpus, another seed another")
  func corpus() throws {
    func rows(_ seed: UInt64) throws -> [[Int]] {
      var corpus = Corpus(world, seed: seed, for: "test")
      return try corpus.rows(8, length: 64)
    }
    #expect(try rows(1) == rows(1))
    #expect(try rows(1) != rows(2))
    #expect(try rows(1).allSatisfy { $0.count == 64 && $0[0] == world.documentStart })
  }
}
