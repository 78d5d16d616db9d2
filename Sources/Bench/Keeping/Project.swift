package import Foundation
package import Organisms

/// The folders of a checkout.
package struct Project: Sendable {
  package let root: URL

  /// The worlds and organisms: those of the checkout, or a folder of one's own.
  package let organisms: URL
  /// Whether they are a user's own, who then gets reports and bases beside them.
  package let isForeign: Bool

  /// - Parameters:
  ///   - root: The checkout.
  ///   - organisms: Another folder with organism files, and one world in `Worlds/`.
  package init(root: URL, organisms: URL? = nil) {
    self.root = root
    self.organisms = organisms ?? root.appending(path: "Organisms")
    isForeign = organisms != nil
  }

  package var reports: URL { (isForeign ? organisms : root).appending(path: "Reports") }
  /// What a user's own runs write: no tracked file.
  package var localReports: URL { isForeign ? reports : reports.appending(path: "local") }
  package var ledger: URL { root.appending(path: "Fixtures/ledger.json") }
  /// What can be made anew: bases, pairs, certificates, evidence and effects, by what they depend on.
  package var cache: URL { root.appending(path: ".assay") }
  var committedBases: URL {
    isForeign ? organisms.appending(path: "Bases") : root.appending(path: "Fixtures/bases")
  }

  /// Reads the world and the organisms.
  package func library() throws -> Library { try Library(organisms) }
}
