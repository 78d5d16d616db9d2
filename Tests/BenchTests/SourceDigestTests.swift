import Foundation
import TestSupport
import Testing

@testable import Bench

@Suite("Digests of sources")
struct SourceDigestTests {
  @Test("digests that many threads take at once are one")
  func together() async throws {
    let digest = SourceDigest()
    let found = await withTaskGroup(of: Set<[String]>.self) { group in
      for _ in 0..<8 {
        group.addTask { Set((0..<2000).map { _ in digest.machinery }) }
      }
      return await group.reduce(into: Set<[String]>()) { $0.formUnion($1) }
    }
    #expect(found.count == 1)
  }

  @Test("evidence depends on dictionaries if the method's file imports them")
  func imports() throws {
    try Fixtures.withTemporaryFolder { folder in
      func write(_ text: String, _ file: String) throws {
        let url = folder.appending(path: file)
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
      }
      try write("// one", "Dictionaries/Atoms.swift")
      try write("internal import Dictionaries\n", "Methods/Methods/With.swift")
      try write("internal import Tensors\n", "Methods/Methods/Without.swift")
      let digest = SourceDigest(folder), types = ["With", "Without"]
      let before = types.map(digest.evidence)
      try write("// two", "Dictionaries/Atoms.swift")
      let after = types.map(digest.evidence)
      #expect(before[0] != after[0] && before[1] == after[1])
    }
  }
}
