package import Foundation
internal import JSON

/// Folders that Assay wrote for somebody, who may have put things there since: only what is still as it was
/// written may be replaced.
package enum OwnFolder {
  /// What a folder holds: one of another kind is never replaced, though Assay wrote it.
  package enum Kind: String, Codable, Sendable { case model, pair, dictionary, served }

  private struct Mark: Codable {
    /// A model's, if nothing is said.
    let kind: Kind?
    let files: [FileDigest]
  }

  private static let markName = ".assay.json"

  /// Writes down what a folder holds.
  ///
  /// - Throws: `FileError.unwritable`.
  static func mark(_ folder: URL, as kind: Kind) throws {
    let mark = Mark(kind: kind, files: try entries(of: folder))
    let text = Seal.sealed(Data(try JSON.encode(mark).utf8))
    try AtomicFile.write(text, to: folder.appending(path: markName))
  }

  /// Why what stands under a name may not be replaced; nil if nothing does, or only what Assay wrote of that kind.
  package static func fault(_ url: URL, replacing kind: Kind) -> String? {
    guard RegularFile.isThere(url) else { return nil }
    let other = "something else is there already; name a new folder"
    guard RegularFile.kind(url) == S_IFDIR,
      let content = try? FileManager.default.contentsOfDirectory(atPath: url.path)
    else { return other }
    if content.isEmpty { return nil }
    guard let sealed = try? Data(contentsOf: url.appending(path: markName)),
      let body = Seal.opened(sealed),
      let mark = try? JSON.decode(Mark.self, from: body, file: markName)
    else { return other }
    guard mark.kind ?? .model == kind else { return other }
    guard let found = try? entries(of: url), found == mark.files else {
      return "something in it was changed or added since Assay wrote it; name a new folder"
    }
    return nil
  }

  /// Whether a folder that Assay wrote is not as it was written; false of one that it did not write.
  package static func isChanged(_ url: URL) -> Bool {
    guard let sealed = try? Data(contentsOf: url.appending(path: markName)) else { return false }
    guard let body = Seal.opened(sealed),
      let mark = try? JSON.decode(Mark.self, from: body, file: markName)
    else { return true }
    return (try? entries(of: url)) != mark.files
  }

  /// Everything in a folder but its mark, by name; what is no plain file or folder has no digest.
  private static func entries(of folder: URL) throws -> [FileDigest] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { $0 != markName }.sorted { Spelling($0) < Spelling($1) }
      .map { name in
        switch RegularFile.kind(folder.appending(path: name)) {
        case S_IFDIR: FileDigest(name: name, digest: "folder")
        case S_IFREG: try FileDigest(name, in: folder)
        default: FileDigest(name: name, digest: "other")
        }
      }
  }
}
