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

  @Test("evidence depends on dictionaries, or on circuits, if the method's file imports them")
  func imports() throws {
    try Fixtures.withTemporaryFolder { folder in
      func write(_ text: String, _ file: String) throws {
        let url = folder.appending(path: file)
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
      }
      let files = [
        "Dictionaries/Atoms.swift", "Methods/Latents/Claims.swift", "Circuits/Graph.swift",
      ]
      for file in files { try write("// one", file) }
      try write("internal import Dictionaries\n", "Methods/Methods/Latent.swift")
      try write("internal import Circuits\n", "Methods/Methods/Edge.swift")
      try write("internal import Tensors\n", "Methods/Methods/Neither.swift")
      let digest = SourceDigest(folder), types = ["Latent", "Edge", "Neither"]
      func changes(after file: String) throws -> [Bool] {
        let before = types.map(digest.evidence)
        try write("// two", file)
        return zip(before, types.map(digest.evidence)).map { $0 != $1 }
      }
      #expect(try changes(after: files[0]) == [true, false, false])
      #expect(try changes(after: files[1]) == [true, false, false])
      #expect(try changes(after: files[2]) == [false, true, false])
    }
  }
}
