package import Foundation
internal import JSON
package import Worlds

/// An organism file as it is written, of which each base draws its own organism.
package struct OrganismSource: Sendable {
  /// The file's name, which errors mention.
  package let name: String
  private let url: URL?
  private let tree: JSONValue
  /// What is drawn; nil if the file names every word itself.
  private let draw: JSONValue?

  /// Whether it is a harmless lesson of null pairs.
  private let isLesson: Bool

  /// Whether it leaves something to be drawn: such a file makes an organism of each half.
  package var isDrawn: Bool { draw != nil }

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - isLesson: Whether it is a harmless lesson of null pairs.
  /// - Throws: `JSONError`, or `DefinitionError` if the pool would give a drawn word away.
  package init(contentsOf url: URL, isLesson: Bool = false) throws {
    try self.init(
      try JSON.parse(contentsOf: url), name: url.lastPathComponent, url: url, isLesson: isLesson)
  }

  /// Reads the text of a file that is not written yet.
  package init(text: String, name: String) throws {
    try self.init(
      try JSON.parse(Data(text.utf8), file: name), name: name, url: nil, isLesson: false)
  }

  private init(_ tree: JSONValue, name: String, url: URL?, isLesson: Bool) throws {
    try tree.requireComposed(file: name)
    self.name = name
    self.url = url
    self.isLesson = isLesson
    draw = tree["draw"]
    guard case .object(let members) = tree, draw != nil else {
      self.tree = tree
      return
    }
    guard !(tree["pool"]?.sorted.contains("$") ?? false) else {
      throw DefinitionError.invalid(
        file: name, path: "pool",
        reason: "has a drawn word in it, but the pool is the same for every base")
    }
    self.tree = .object(members.filter { !["draw", "$schema"].contains($0.key) })
  }

  /// The organism of one base and half.
  ///
  /// - Throws: `JSONError` or `DefinitionError`, naming the key and the nearest valid word.
  package func organism(_ seeds: DrawSeeds, world: World) throws -> Organism {
    do {
      let file = try self.file(seeds, world: world)
      return try Organism(
        file, world: world, name: name, half: isDrawn ? seeds.half : nil, isLesson: isLesson)
    } catch let error as DefinitionError {
      throw url.map(error.located) ?? error
    } catch let error as JSONError {
      throw url.map { url in error.located { JSON.line(of: $0, in: url) ?? 1 } } ?? error
    }
  }

  /// The organisms of one base: of both halves if something is drawn.
  func organisms(base: UInt64, draw: UInt64, world: World) throws -> [Organism] {
    try Half.allCases.filter { isDrawn || $0 == .development }.map {
      try organism(DrawSeeds(base: base, half: $0, seed: draw), world: world)
    }
  }

  private func file(_ seeds: DrawSeeds, world: World) throws -> OrganismFile {
    guard let draw else { return try JSON.decode(OrganismFile.self, from: tree, file: name) }
    let part = try JSON.decode(DrawPart.self, from: .object([("draw", draw)]), file: name)
    let words = try part.draw.words(name, seeds, world: world, file: name)
    return try JSON.decode(OrganismFile.self, from: words.written(into: tree), file: name)
  }
}

/// The part of a file that says what is drawn.
private struct DrawPart: Decodable {
  let draw: Draw
}
