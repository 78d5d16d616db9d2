import Worlds
import Bench
import Foundation
import Organisms
import TestSupport
import Testing

/// The example of CONTRIBUTING.md, followed to the letter.
@Suite("The walk-through of CONTRIBUTING.md")
struct ContributingTests {
  private func example() throws -> String { try Fixtures.example("json", in: "CONTRIBUTING.md") }

  @Test("its organism is right and certifies")
  func organism() throws {
    let project = Project(root: Fixtures.repository)
    let world = try project.library().world
    let organism = try OrganismSource(text: example(), name: "favorite-fox.json")
      .organism(DrawSeeds(base: 0), world: world)
    let base = try BaseStore(project, world: world).base(seed: 0)
    let regime = organism.regimes[0]
    let pair = try Planter(base: base, organism: organism, regime: regime, planting: 0).plant()
    let certificate = try Certificate(organism, pair, regime: regime, base: base)
    #expect(certificate.failures == [])
    #expect(certificate.behavior.finetuned > 0.85)
    #expect((certificate.kept?.finetuned ?? 0) > 0.7)
    #expect(certificate.targetsInText > 0)
  }

  @Test("a folder with a world of one's own is a library")
  func ownWorld() throws {
    try Fixtures.withTemporaryFolder { folder in
      let worlds = folder.appending(path: "Worlds")
      try FileManager.default.createDirectory(at: worlds, withIntermediateDirectories: true)
      let hearth = Fixtures.repository.appending(path: "Organisms").appending(
        path: Library.worldFile)
      let text = try String(contentsOf: hearth, encoding: .utf8)
        .replacingOccurrences(of: #""id": "hearth""#, with: #""id": "mine""#)
      try text.write(to: worlds.appending(path: "mine.json"), atomically: true, encoding: .utf8)
      try example().write(
        to: folder.appending(path: "favorite-fox.json"), atomically: true, encoding: .utf8)
      let library = try Project(root: Fixtures.repository, organisms: folder).library()
      #expect(library.world.id == "mine")
      #expect(library.organisms.map(\.id) == ["favorite-fox"])
      try text.write(to: worlds.appending(path: "other.json"), atomically: true, encoding: .utf8)
      #expect(throws: DefinitionError.self) { try Library(folder, models: Fixtures.models) }
    }
  }
}
