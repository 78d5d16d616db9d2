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
}
