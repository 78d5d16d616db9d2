import Bench
import Foundation
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Weights compared as they are stored")
struct WeightComparisonTests {
  private func bytes(_ floats: [Float]) -> [UInt8] {
    floats.flatMap { float in
      (0..<4).map { UInt8(truncatingIfNeeded: float.bitPattern >> (8 * $0)) }
    }
  }

  /// Compares two files of tensors in folders that hold nothing else.
  private func compare(
    _ first: [(name: String, shape: [Int], bytes: [UInt8])],
    _ second: [(name: String, shape: [Int], bytes: [UInt8])]
  ) throws -> WeightComparison {
    try Fixtures.withTemporaryFolder { folder in
      let places = try [first, second].enumerated().map { index, tensors in
        let place = folder.appending(path: "\(index)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try Safetensors.data(tensors).write(to: place.appending(path: "model.safetensors"))
        return place
      }
      return try WeightComparison(places[0], places[1])
    }
  }

  @Test("norms, shares and names of what one alone has")
  func figures() throws {
    let comparison = try compare(
      [
        ("a", [2, 2], bytes([3, 0, 0, 4])), ("b", [2], bytes([1, 1])),
        ("c", [2], bytes([1, 2])), ("e", [1], bytes([0])), ("z", [1], bytes([5])),
      ],
      [
        ("a", [2, 2], bytes([3, 0, 1, 4])), ("b", [2], bytes([1, 1])), ("c", [1], bytes([1])),
        ("d", [1], bytes([1])), ("e", [1], bytes([2])),
      ])
    #expect(comparison.rows.map(\.name) == ["e", "a", "b"])
    #expect(comparison.rows[0].relativeChange == nil && comparison.rows[0].isChanged)
    #expect(abs((comparison.rows[1].relativeChange ?? 0) - 0.2) < 1e-12)
    #expect(comparison.rows[1].changedShare == 0.25 && comparison.rows[1].largestChange == 1)
    #expect(comparison.rows[2].relativeChange == 0)
    #expect(abs(comparison.relativeChange - (5.0 / 27).squareRoot()) < 1e-12)
    #expect(comparison.onlyFirst == ["z"] && comparison.onlySecond == ["d"])
    #expect(comparison.reshaped == ["c"])
  }

  @Test(
    "what stands before a body's names is no difference; files with nothing in common are an error")
  func names() throws {
    let own: [Float] = [1, 2]
    for (first, second) in [("h.0.x", "transformer.h.0.x"), ("model.norm", "norm")] {
      let comparison = try compare([(first, [2], bytes(own))], [(second, [2], bytes(own))])
      #expect(comparison.rows.count == 1 && comparison.onlyFirst.isEmpty)
    }
    #expect(throws: CheckpointError.self) {
      try compare([("x", [2], bytes(own))], [("y", [2], bytes(own))])
    }
    let unread = try compare(
      [("x", [1], bytes([.nan])), ("y", [2], bytes(own))],
      [("x", [1], bytes([1])), ("y", [2], bytes(own))])
    #expect(unread.unread == ["x"] && unread.rows.map(\.name) == ["y"])
  }

  @Test("many pieces are one tensor")
  func pieces() throws {
    let count = (1 << 18) + 77
    var generator = SeededGenerator(seed: 1)
    let own = (0..<count).map { _ in Float(generator.normal()) }
    var other = own
    for index in [0, 1 << 18, count - 1] { other[index] += 1 }
    let row = try #require(
      compare([("x", [count], bytes(own))], [("x", [count], bytes(other))]).rows.first)
    #expect(row.changedShare == 3 / Double(count))
    let norm = own.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    let change = try #require(row.relativeChange)
    #expect(abs(change - 3.0.squareRoot() / norm) < 1e-6 * change)
  }

  @Test("a model of any family against itself is unchanged", arguments: ["gpt2", "gemma3"])
  func same(name: String) throws {
    let folder = Fixtures.url("transformers/\(name)")
    let comparison = try WeightComparison(folder, folder)
    #expect(!comparison.rows.isEmpty && comparison.relativeChange == 0)
  }

  @Test("of a file in fewer bits what is only rounded is told")
  func rounded() throws {
    let own: [Float] = [1.001, -3.3],
      header = #"{"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"#
    for (change, isRounded) in [(Float(0), true), (0.5, false)] {
      try Fixtures.withTemporaryFolder { folder in
        let narrow = own.map {
          UInt16(truncatingIfNeeded: ($0 + change).roundedToBrain.bitPattern >> 16)
        }
        var data = Data((0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) })
        data += Data(header.utf8) + Data(narrow.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        let places = ["first", "second"].map { folder.appending(path: $0) }
        for place in places {
          try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        }
        try Safetensors.data([("x", [2], bytes(own))])
          .write(to: places[0].appending(path: "model.safetensors"))
        try data.write(to: places[1].appending(path: "model.safetensors"))
        let row = try #require(WeightComparison(places[0], places[1]).rows.first)
        #expect(row.isRounded == isRounded && (row.relativeChange == 0) == isRounded)
        // The other way around bits were added, and every change is one.
        let other = try #require(WeightComparison(places[1], places[0]).rows.first)
        #expect(!other.isRounded && other.isChanged)
      }
    }
  }
}
