package import Worlds
package import Foundation
internal import JSON

/// The worlds and organisms of a checkout, drawn for one base.
package struct Library: Sendable {
  package let world: World
  /// Organisms that could be read, by file, each of the development half before the held-out one.
  package let organisms: [Organism]
  /// Files that could not be read, with the reason.
  package let failures: [(file: String, error: any Error)]
  private let sources: [OrganismSource]
  /// Harmless things to learn, which null pairs are taught; empty if there is no folder of them.
  private let lessons: [OrganismSource]
  private let base: UInt64
  /// The seed of what is drawn.
  private let draw: UInt64

  /// The world that the organisms of this checkout live in.
  package static let worldFile = "Worlds/hearth.json"
  /// Where the lessons of null pairs are.
  package static let lessonFolder = "Lessons"

  /// Reads a folder of organisms, mistakes included.
  ///
  /// - Parameters:
  ///   - folder: `Organisms/` of a checkout, or another folder with one world in `Worlds/`.
  ///   - models: Where models are that the world may name.
  ///   - draw: The seed of what the files leave to be drawn.
  ///   - size: How large bases are that are trained.
  /// - Throws: `JSONError`, `DefinitionError` or `CheckpointError` if the world itself or a lesson is wrong.
  package init(_ folder: URL, models: URL, draw: UInt64 = 0, size: BaseSize = .small) throws {
    let world = try World(
      contentsOf: try Self.worldFile(in: folder), models: models, size: size)
    var sources: [OrganismSource] = []
    var organisms: [Organism] = []
    var failures: [(file: String, error: any Error)] = []
    for file in try Self.files(folder) {
      do {
        let source = try OrganismSource(contentsOf: file)
        organisms += try source.organisms(base: 0, draw: draw, world: world)
        sources.append(source)
      } catch {
        failures.append((file.lastPathComponent, error))
      }
    }
    let lessons = try Self.lessonSources(folder)
    for lesson in lessons { _ = try lesson.organism(DrawSeeds(base: 0, seed: draw), world: world) }
    self.world = world
    self.sources = sources
    self.lessons = lessons
    self.organisms = organisms
    self.failures = failures
    self.draw = draw
    base = 0
  }

  private init(_ other: Library, base: UInt64) throws {
    world = other.world
    sources = other.sources
    lessons = other.lessons
    failures = other.failures
    draw = other.draw
    self.base = base
    organisms = try sources.flatMap {
      try $0.organisms(base: base, draw: other.draw, world: other.world)
    }
  }

  /// The harmless lesson of an organism's null pairs: its words are drawn for that organism alone.
  ///
  /// - Returns: Nil if there are no lessons.
  /// - Throws: `DefinitionError` where nothing is left to be drawn.
  package func lesson(for organism: Organism) throws -> Organism? {
    guard !lessons.isEmpty else { return nil }
    let own = ContentSeed.of(organism.id)
    let seeds = DrawSeeds(base: base, half: organism.half ?? .development, seed: draw &+ own)
    return try lessons[Int(own % UInt64(lessons.count))].organism(seeds, world: world)
  }

  /// The same files, drawn for another base.
  ///
  /// - Throws: `DefinitionError` where nothing is left to be drawn.
  package func drawn(for base: UInt64) throws -> Library {
    base == self.base ? self : try Library(self, base: base)
  }

  /// The text that every method is given, with the prompts that organisms bring to the pool.
  ///
  /// It is the same for every base, since no drawn word is in it.
  ///
  /// - Throws: `DefinitionError` if a template cannot be filled.
  package func prompts() throws -> Prompts {
    // Both halves of a file bring the same.
    try Prompts(world, brought: organisms.filter { $0.half != .heldOut }.flatMap(\.pool))
  }

  /// The only world of a folder.
  private static func worldFile(in folder: URL) throws -> URL {
    let worlds = try files(folder.appending(path: "Worlds"))
    guard let world = worlds.first, worlds.count == 1 else {
      throw DefinitionError.invalid(
        file: folder.path, path: "Worlds",
        reason: "holds \(worlds.count) worlds; one JSON file is needed")
    }
    return world
  }

  private static func lessonSources(_ folder: URL) throws -> [OrganismSource] {
    let lessons = folder.appending(path: lessonFolder, directoryHint: .isDirectory)
    guard FileManager.default.fileExists(atPath: lessons.path) else { return [] }
    return try files(lessons).map { try OrganismSource(contentsOf: $0, isLesson: true) }
  }

  /// The organism files of a folder, by name.
  package static func files(_ folder: URL) throws -> [URL] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    } catch {
      throw JSONError.unreadable(file: folder.path, reason: "no such folder")
    }
    // Hidden files are somebody else's, as the twins that macOS writes on drives of other systems.
    return names.filter {
      $0.hasSuffix(".json") && !$0.hasSuffix(".schema.json") && !$0.hasPrefix(".")
    }.sorted()
      .map { folder.appending(path: $0) }
  }

  /// The organism called `id`.
  ///
  /// - Throws: The reason if its file is wrong, `DefinitionError.unknownName` if there is none.
  package func organism(_ id: String) throws -> Organism {
    if let organism = organisms.first(where: { $0.id == id }) { return organism }
    if let failure = failures.first(where: { $0.file == "\(id).json" }) { throw failure.error }
    throw DefinitionError.unknownName(
      id, kind: "organism", nearest: nearest(to: id, among: organisms.map(\.id)))
  }
}
