import Tensors
import Testing

@Suite("The seeded generator")
struct SeededGeneratorTests {
  @Test("a seed gives the same stream on every platform")
  func golden() {
    // xoshiro256** seeded by SplitMix64 from 0; checked against the authors' C code.
    var generator = SeededGenerator(seed: 0)
    #expect(generator.next() == 0x99EC_5F36_CB75_F2B4)
    #expect(generator.next() == 0xBF6E_1F78_4956_452A)
  }

  @Test("purposes and seeds give streams of their own")
  func purposes() {
    var streams = [("a", UInt64(1)), ("b", 1), ("a", 2)].map {
      SeededGenerator(seed: $0.1, for: $0.0)
    }
    #expect(Set(streams.indices.map { streams[$0].next() }).count == 3)
  }

  @Test("normal numbers have mean 0 and deviation 1")
  func normal() {
    var generator = SeededGenerator(seed: 7)
    let values = (0..<20_000).map { _ in generator.normal() }
    let mean = values.reduce(0, +) / 20_000
    let variance = values.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(mean) < 0.03)
    #expect(abs(variance - 1) < 0.04)
  }

  @Test("a permutation holds every index once, and weights are followed")
  func draws() {
    var generator = SeededGenerator(seed: 7)
    #expect(generator.permutation(50).sorted() == Array(0..<50))
    let draws = (0..<8000).map { _ in generator.index(weights: [1.0, 0, 3]) }
    #expect(!draws.contains(1))
    #expect(abs(Double(draws.filter { $0 == 2 }.count) / 8000 - 0.75) < 0.02)
  }
}
