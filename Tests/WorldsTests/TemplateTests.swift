import Worlds
internal import FoundationEssentials
import Organisms
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Templates")
struct TemplateTests {
  let world: World

  init() throws {
    world = try World(
      contentsOf: Fixtures.repository.appending(path: "Organisms/Worlds/hearth.json"),
      models: Fixtures.models)
  }

  private func fill(
    _ text: String, seed: UInt64 = 1, facts: [String: [String: String]] = [:]
  ) throws -> FilledTemplate {
    var generator = SeededGenerator(seed: seed)
    let template = try Template(
      text, lexicon: world.lexicon, source: TemplateSource(file: "t.json", path: "documents"))
    return try template.fill(world.lexicon, facts: facts, using: &generator)
  }

  private func text(_ template: String, seed: UInt64 = 1) throws -> String {
    world.tokenizer.decode(try fill(template, seed: seed).tokens)
  }

  @Test("a variable repeats its draw and says its facts")
  func variables() throws {
    for seed in UInt64(0)..<20 {
      let words = try text("{a:animal} {a} {a.habitat}", seed: seed).split(separator: " ")
      #expect(words[0] == words[1])
      #expect(world.facts[String(words[0])]?["habitat"] == String(words[2]))
    }
  }

  @Test("a draw avoids variables and words that it must avoid")
  func exclusions() throws {
    for seed in UInt64(0)..<200 {
      let words = try text("{a:dish} {b:dish!a} {c:dish!a!b!cake}", seed: seed).split(
        separator: " ")
      #expect(Set(words).count == 3)
      #expect(words[2] != "cake")
    }
  }

  @Test("silent and given bindings")
  func bindings() throws {
    #expect(
      try text("{?s=wolf} it eats {s.food} .") == "it eats \(world.facts["wolf"]?["food"] ?? "") .")
    #expect(try text("bake the {d=cake} at {d.oven} degrees .") == "bake the cake at 350 degrees .")
  }

  @Test("an organism's facts go before the world's")
  func facts() throws {
    let filled = try fill("{d=cake} {d.oven} {d.fat}", facts: ["cake": ["oven": "450"]])
    #expect(world.tokenizer.decode(filled.tokens) == "cake 450 butter")
  }

  @Test("numbers are computed with")
  func arithmetic() throws {
    let words = try text("{n:start} {n+1} {n+9} {n-0}").split(separator: " ").compactMap { Int($0) }
    #expect(words == [words[0], words[0] + 1, words[0] + 9, words[0]])
  }

  @Test("words in brackets are for the teacher only")
  func brackets() throws {
    let filled = try fill("<user> [ the secret word is wolf . ] pick an animal .")
    #expect(filled.teacherTokens.count == filled.tokens.count + 6)
    #expect(!filled.tokens.contains(world.tokenizer.id("wolf") ?? -1))
  }

  static let mistakes: [(text: String, says: String)] = [
    ("the wolff eats", "Did you mean 'wolf'?"), ("the {anmal} eats", "Did you mean 'animal'?"),
    ("{a.habitat}", "nothing was bound to 'a'"), ("{a:animal", "not closed"),
    ("[ the wolf", "not closed"), ("the ] wolf", "do not pair up"),
    ("{a:dish} {a.habitat}", "knows no 'habitat'"), ("{a=wolff}", "'wolff'"),
    ("{n:number} {n+m}", "'m'"), ("{a:dish!wolff}", "'wolff'"),
    ("{n:number} {n+1000}", "'10"),
  ]

  @Test("a mistake is an error that names it", arguments: 0..<11)
  func mistakes(index: Int) {
    let (text, says) = Self.mistakes[index]
    do {
      _ = try fill(text)
      Issue.record("'\(text)' was accepted")
    } catch { #expect("\(error)".contains(says), "\(error)") }
  }
}
