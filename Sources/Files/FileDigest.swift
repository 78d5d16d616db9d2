package import Foundation

/// A file of a folder with the digest of its bytes.
package struct FileDigest: Codable, Equatable, Sendable {
  /// The name within the folder.
  package let name: String
  package let digest: String

  init(name: String, digest: String) {
    self.name = name
    self.digest = digest
  }

  /// Reads a file.
  ///
  /// - Throws: `CocoaError` if it cannot be read.
  package init(_ name: String, in folder: URL) throws {
    var hash = ContentHash()
    hash.mix(try Data(contentsOf: folder.appending(path: name)))
    self.init(name: name, digest: hash.text)
  }
}
