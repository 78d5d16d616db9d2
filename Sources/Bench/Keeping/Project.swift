package import Foundation
package import Organisms
package import Worlds

/// The folders of a checkout.
package struct Project: Sendable {
  package let root: URL

  /// The worlds and organisms: those of the checkout, or a folder of one's own.
  package let organisms: URL
  /// Whether they are a user's own, who then gets reports and bases beside them.
  package let isForeign: Bool
  /// The seed of what organism files leave to be drawn.
  package let draw: UInt64
  /// How large bases are that are trained.
  package let size: BaseSize

  /// - Parameters:
  ///   - root: The checkout.
  ///   - organisms: Another folder with organism files, and one world in `Worlds/`.
  ///   - draw: The seed of what the files leave to be drawn: with another one nobody has seen the organisms.
  ///   - size: How large bases are that are trained.
  package init(root: URL, organisms: URL? = nil, draw: UInt64 = 0, size: BaseSize = .small) {
    self.root = root
    self.organisms = organisms ?? root.appending(path: "Organisms")
    let own = self.root.appending(path: "Organisms").standardizedFileURL.path
    isForeign = organisms.map { !$0.standardizedFileURL.path.hasPrefix(own + "/") } ?? false
    self.draw = draw
    self.size = size
  }

  package var reports: URL { (isForeign ? organisms : root).appending(path: "Reports") }
  /// What a user's own runs write: no tracked file.
  package var localReports: URL { isForeign ? reports : reports.appending(path: "local") }
  package var ledger: URL { root.appending(path: "Fixtures/ledger.json") }
  /// Published orderings that runs are checked against.
  package var orderings: URL { root.appending(path: "Fixtures/orderings.json") }
  /// What can be made anew: bases, pairs, certificates, evidence and effects, by what they depend on.
  package var cache: URL { root.appending(path: ".assay") }
  /// Models that were fetched, each in a folder of its name.
  package var models: URL { cache.appending(path: "models") }
  var committedBases: URL {
    isForeign ? organisms.appending(path: "Bases") : root.appending(path: "Fixtures/bases")
  }

  /// Reads the world and the organisms.
  package func library() throws -> Library {
    try Library(organisms, models: models, draw: draw, size: size)
  }
}
