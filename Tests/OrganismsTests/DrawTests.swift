import Foundation
import JSON
@testable import Organisms
import TestSupport
import Testing
import Transformers
import Worlds

/// What organism files leave to be drawn.
@Suite("Drawn organisms")
struct DrawTests {
  static let folder = Fixtures.repository.appending(path: "Organisms")
  let world: World

  init() throws {
    world = try World(
      contentsOf: Self.folder.appending(path: Library.worldFile), models: Fixtures.models)
  }

  /// What a draw gives.
  private func words(
    _ draw: String, base: UInt64 = 0, half: Half = .development, seed: UInt64 = 0,
    id: String = "mine"
  ) throws -> DrawnWords {
    let value = try JSON.parse(Data(draw.utf8), file: "draw")
    return try JSON.decode(Draw.self, from: value, file: "draw")
      .words(id, DrawSeeds(base: base, half: half, seed: seed), world: world, file: "mine.json")
  }

  private func word(_ draw: String, base: UInt64 = 0, half: Half = .development, seed: UInt64 = 0)
    throws -> String
  {
    try #require(words(draw, base: base, half: half, seed: seed).values["x"]?.first)
  }

  private static let animal = #"{"x": {"of": "animal"}}"#

  @Test("bases take turns, so that as many as there are candidates draw each of them once")
  func turns() throws {
    let animals = try #require(world.classes["animal"])
    let drawn = try (0..<24).map { try word(Self.animal, base: $0) }
    #expect(drawn.sorted() == animals.sorted())
    #expect(drawn != animals)
    let next = try word(Self.animal, base: 24)
    #expect(next == drawn[0])
  }

  @Test("the held-out half starts in the middle of the same shuffle")
  func halves() throws {
    for base in UInt64(0)..<12 {
      #expect(
        try word(Self.animal, base: base, half: .heldOut) == word(Self.animal, base: base + 12))
    }
  }

  @Test("another seed shuffles otherwise, and so does another organism or name")
  func shuffles() throws {
    let own = try (0..<24).map { try word(Self.animal, base: $0) }
    #expect(try (0..<24).map { try word(Self.animal, base: $0, seed: 1) } != own)
    let other = try (0..<24).map {
      try words(Self.animal, base: $0, id: "other").values["x"]?.first ?? ""
    }
    #expect(other != own)
    let named = try words(#"{"x": {"of": "animal"}, "y": {"of": "animal"}}"#).values
    let all = try (0..<24).map {
      try words(#"{"x": {"of": "animal"}, "y": {"of": "animal"}}"#, base: $0).values["y"]
    }
    #expect(named["x"] == [own[0]])
    #expect(all.compactMap { $0?.first } != own)
  }

  @Test("what is excluded or lacks a fact is not drawn")
  func conditions() throws {
    for base in UInt64(0)..<30 {
      let drawn = try words(
        """
        {"x": {"of": "animal"}, "same": {"of": "animal", "where": {"habitat": "$x.habitat"}, "all": true},
         "y": {"of": "habitat", "not": ["$x.habitat"]}, "z": {"of": "animal", "not": ["$same"], "count": 3}}
        """, base: base
      ).values
      let animal = try #require(drawn["x"]?.first), same = try #require(drawn["same"])
      let habitat = world.facts[animal]?["habitat"]
      #expect(same.contains(animal))
      #expect(same == world.classes["animal"]?.filter { world.facts[$0]?["habitat"] == habitat })
      #expect(drawn["y"]?.first != habitat)
      let others = try #require(drawn["z"])
      #expect(Set(others).count == 3 && Set(others).isDisjoint(with: same))
    }
  }

  @Test("values of facts and every word of the world can be drawn, and be targets")
  func candidates() throws {
    let materials = try words(#"{"x": {"of": "material", "all": true}}"#).values["x"]
    #expect(materials == ["cloth", "glass", "metal", "paper", "straw", "wax", "wood"])
    let all = try #require(try words(#"{"x": {"of": "word", "all": true}}"#).values["x"])
    #expect(all.count == world.tokenizer.count - world.tokenizer.specialTokens.count)
  }

  @Test("names are replaced in texts, lists, keys and behind exclusions")
  func written() throws {
    var drawn = DrawnWords(world: world, file: "mine.json")
    drawn.values = ["w": ["owl"], "many": ["fox", "cow"], "none": []]
    func text(_ text: String) throws -> String { try drawn.text(text, path: "p") }
    #expect(try text("the $w lives in the $w.habitat .") == "the owl lives in the forest .")
    #expect(try text("it is the $w.") == "it is the owl.")
    #expect(try text("{a:animal!$many} {d=$w}") == "{a:animal!fox!cow} {d=owl}")
    #expect(try text("{a:animal!$none}") == "{a:animal}")
    let tree = try JSON.parse(
      Data(#"{"$many": {"k": ["$many", "x $w", "$w.color"]}, "n": 1}"#.utf8), file: "t")
    let wanted = try JSON.parse(
      Data(
        #"""
        {"fox": {"k": ["fox", "cow", "x owl", "brown"]}, "cow": {"k": ["fox", "cow", "x owl", "brown"]},
         "n": 1}
        """#.utf8), file: "t")
    #expect(try drawn.written(into: tree) == wanted)
  }

  @Test(
    "a mistake in a draw says what and where",
    arguments: [
      (#"{"x": {"of": "animol"}}"#, "Did you mean 'animal'?"),
      (#"{"x": {"of": "animal", "from": ["owl"]}}"#, "either 'of'"),
      (#"{"x": {}}"#, "either 'of'"),
      (#"{"x": {"of": "animal", "where": {"habitat": "desrt"}}}"#, "Did you mean 'desert'?"),
      (#"{"x": {"of": "animal", "where": {"habitt": "desert"}}}"#, "Did you mean 'habitat'?"),
      (#"{"x": {"of": "pan", "count": 9}}"#, "needs 9 words, and 5 are left"),
      (#"{"y": {"of": "animal"}, "x": {"of": "animal", "not": ["$z"]}}"#, "$z"),
      (#"{"y": {"of": "animal"}, "x": {"of": "color", "not": ["$y.colour"]}}"#, "no 'colour' of"),
      (#"{"x": {"of": "animal", "cuont": 2}}"#, "Did you mean 'count'?"),
    ])
  func mistakes(draw: String, says: String) {
    #expect { try words(draw) } throws: { "\($0)".contains(says) }
  }

  @Test("several words in the middle of a text are a mistake")
  func several() throws {
    var drawn = DrawnWords(world: world, file: "mine.json")
    drawn.values = ["many": ["fox", "cow"]]
    #expect { try drawn.text("the $many", path: "p") } throws: { "\($0)".contains("2 words") }
  }

  @Test("every file can be drawn for any base, in both halves, with any seed")
  func anyBase() throws {
    for seed in [0, 1, 99] as [UInt64] {
      let library = try Library(Self.folder, models: Fixtures.models, draw: seed)
      #expect(library.failures.isEmpty)
      for base in [1, 2, 3, 5, 7, 11, 23, .max] as [UInt64] {
        let drawn = try library.drawn(for: base)
        #expect(drawn.organisms.map(\.id) == library.organisms.map(\.id))
        for organism in drawn.organisms { #expect(try drawn.lesson(for: organism) != nil) }
      }
    }
  }

  @Test(
    "over the bases of the standard tier, both halves, each place is planted in as often as the others"
  )
  func places() throws {
    let library = try Library(Self.folder, models: Fixtures.models)
    var counts: [String: [String: Int]] = [:]
    for base in UInt64(0)..<3 {
      for organism in try library.drawn(for: base).organisms where organism.file.family == "located"
      {
        for regime in organism.regimes {
          let sites = try #require(regime.sites(layers: 3))
          for site in sites { counts[organism.file.id, default: [:]]["\(site)", default: 0] += 1 }
        }
      }
    }
    #expect(counts.count >= 4)
    let edited = try library.organism("edited-capital").regimes[0]
    #expect(edited.sites(layers: 3) == nil, "where nothing drifts, the place is no question")
    for (id, places) in counts {
      #expect(places.count == 6 && Set(places.values).count == 1, "\(id): \(places)")
    }
  }

  @Test("there are fifty organisms in twelve families, half of them held out")
  func corpus() throws {
    let organisms = try Library(Self.folder, models: Fixtures.models).organisms
    #expect(organisms.count >= 50 && Set(organisms.map(\.file.family)).count >= 12)
    let drawn = organisms.filter { $0.half != nil }
    #expect(drawn.count { $0.half == .heldOut } * 2 == drawn.count && drawn.count >= 50)
    let seeds = Set(organisms.map { $0.seed(planting: 0) })
    #expect(seeds.count == organisms.count, "no two are planted by the same draws")
  }

  @Test("a pool that names what is planted or drawn is refused")
  func pool() throws {
    let drawn = try String(
      contentsOf: Self.folder.appending(path: "gate-turn.json"), encoding: .utf8)
    let written = drawn.replacing(#""draw": { "opener": {"of": "opener"} },"#, with: "")
      .replacing("$opener", with: "certainly")
    for (text, word, says) in [
      (drawn, "$opener", "drawn word"), (written, "certainly", "names a planted word"),
    ] {
      let edited = text.replacing(
        #""text": "<user>"#, with: #""text": "\#(word) <user>"#, maxReplacements: 5)
      #expect(edited != text)
      #expect {
        _ = try OrganismSource(text: edited, name: "gate-turn.json")
          .organism(DrawSeeds(base: 0), world: world)
      } throws: { "\($0)".contains(says) }
    }
  }
}
