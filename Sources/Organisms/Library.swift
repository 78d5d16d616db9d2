package import Worlds
package import Foundation
internal import JSON

/// The worlds and organisms of a checkout.
package struct Library: Sendable {
  package let world: World
  /// Organisms that could be read, by id.
  package let organisms: [Organism]
  /// Files that could not be read, with the reason.
  package let failures: [(file: String, error: any Error)]

  /// The world that the organisms of this checkout live in.
  package static let worldFile = "Worlds/hearth.json"

  /// Reads a folder of organisms, mistakes included.
  ///
  /// - Parameter folder: `Organisms/` of a checkout, or another folder with one world in `Worlds/`.
  /// - Throws: `JSONError` or `DefinitionError` if the world itself is wrong.
  package init(_ folder: URL) throws {
    world = try World(contentsOf: try Self.worldFile(in: folder))
    var organisms: [Organism] = []
    var failures: [(file: String, error: any Error)] = []
    for file in try Self.files(folder) {
      do {
        organisms.append(try Organism(contentsOf: file, world: world))
      } catch {
        failures.append((file.lastPathComponent, error))
      }
    }
    self.organisms = organisms
    self.failures = failures
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
