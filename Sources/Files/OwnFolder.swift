package import Foundation
internal import JSON

/// Folders that Assay wrote for somebody, who may have put things there since: only what is still as it was
/// written may be replaced.
package enum OwnFolder {
  private struct Entry: Codable, Equatable {
    let name: String
    let digest: String
  }

  private struct Mark: Codable {
    let files: [Entry]
  }

  private static let markName = ".assay.json"

  /// Writes down what a folder holds.
  ///
  /// - Throws: `FileError.unwritable`.
  static func mark(_ folder: URL) throws {
    let files = try entries(of: folder)
    let text = Seal.sealed(Data(try JSON.encode(Mark(files: files)).utf8))
    try AtomicFile.write(text, to: folder.appending(path: markName))
  }

  /// Why what stands under a name may not be replaced; nil if nothing does, or only what Assay wrote.
  package static func fault(_ url: URL) -> String? {
    guard RegularFile.isThere(url) else { return nil }
    let other = "something else is there already; name a new folder"
    guard kind(url) == S_IFDIR,
      let content = try? FileManager.default.contentsOfDirectory(atPath: url.path)
    else { return other }
    if content.isEmpty { return nil }
    guard let sealed = try? Data(contentsOf: url.appending(path: markName)),
      let body = Seal.opened(sealed),
      let mark = try? JSON.decode(Mark.self, from: body, file: markName)
    else { return other }
    guard let found = try? entries(of: url), found == mark.files else {
      return "something in it was changed or added since Assay wrote it; name a new folder"
    }
    return nil
  }

  /// Everything in a folder but its mark, by name; what is no plain file or folder has no digest.
  private static func entries(of folder: URL) throws -> [Entry] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { $0 != markName }.sorted { Spelling($0) < Spelling($1) }
      .compactMap { name in
        let item = folder.appending(path: name)
        switch kind(item) {
        case S_IFDIR: return Entry(name: name, digest: "folder")
        case S_IFREG:
          var hash = ContentHash()
          hash.mix(try Data(contentsOf: item))
          return Entry(name: name, digest: hash.text)
        default: return Entry(name: name, digest: "other")
        }
      }
  }

  /// What stands under a name, links not followed.
  private static func kind(_ url: URL) -> mode_t? {
    var info = stat()
    return unsafe lstat(url.path, &info) == 0 ? info.st_mode & S_IFMT : nil
  }
}
