import Foundation
import JSON
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Files that gguf's own writer made, and what gguf and transformers read in them.
@Suite("GGUF files")
struct GGUFTests {
  private struct Line: Decodable {
    let text: String
    let ids: [Int]
  }
  private struct Answer: Decodable {
    let tokens: [Int]
    let logits: [Float]
  }
  private struct Expected: Decodable {
    let scalars: [String: [Float]]
    let models: [String: Answer]
    let texts: [String: [Line]]
  }

  private func url(_ name: String) -> URL { Fixtures.url("gguf/\(name)") }

  private func expected() throws -> Expected {
    try JSON.decode(Expected.self, contentsOf: url("expected.json"))
  }

  @Test("numbers of every kind of block are those that gguf reads")
  func scalars() throws {
    let file = try GGUFFile(url("scalars.gguf")), expected = try expected().scalars
    #expect(file.tensors.count == 9 && expected.count == 9)
    for tensor in file.tensors {
      let numbers = try tensor.read(), own = try #require(expected[tensor.name])
      #expect(numbers.shape == [2, 256])
      let error = zip(numbers.scalars, own).map { abs($0 - $1) }.max() ?? .infinity
      let largest = own.map(abs).max() ?? 0
      #expect(error <= 1e-6 * largest, "\(tensor.name): \(error) of \(largest)")
    }
  }

  @Test(
    "a model's logits are transformers', its queries and keys in order again",
    arguments: ["llama", "qwen2"])
  func logits(name: String) throws {
    let answer = try #require(try expected().models[name])
    let model = try HuggingFaceFolder.read(url("\(name).gguf")).model
    let logits = model.forward(TokenBatch([answer.tokens]), logits: .last).logits.scalars
    let error = zip(logits, answer.logits).map { abs($0 - $1) }.max() ?? .infinity
    #expect(logits.count == answer.logits.count)
    #expect(error < 1e-5 * (answer.logits.map(abs).max() ?? 0), "\(error)")
  }

  @Test(
    "a tokenizer cuts as transformers makes it cut", arguments: ["llama", "qwen2", "sentences"])
  func tokenizers(name: String) throws {
    let tokenizer = try HuggingFaceFolder.readTokenizer(url("\(name).gguf"))
    for line in try #require(try expected().texts[name]) {
      #expect(try tokenizer.encode(line.text) == line.ids, "\(line.text)")
    }
    #expect(tokenizer.documentStart.map(tokenizer.word) == (name == "sentences" ? "<s>" : nil))
  }

  @Test("what is written as a folder is the same model, with the same tokenizer and roles")
  func converts() throws {
    try Fixtures.withTemporaryFolder { folder in
      let place = folder.appending(path: "m")
      try HuggingFaceFolder.convert(gguf: url("llama.gguf"), to: place)
      let (read, own) = try (
        HuggingFaceFolder.read(place), HuggingFaceFolder.read(url("llama.gguf"))
      )
      #expect(read.model.parameters == own.model.parameters)
      #expect(read.notices.isEmpty && read.markers == own.markers)
      let text = "def f(x):\n  return 12345"
      #expect(try read.tokenizer?.encode(text) == own.tokenizer?.encode(text))
    }
  }

  @Test("a file that is cut short anywhere is refused with its name")
  func truncated() throws {
    let whole = try Data(contentsOf: url("llama.gguf"))
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "cut.gguf")
      for count in Array(stride(from: 4, to: whole.count, by: 997)) + [whole.count - 1] {
        try whole.prefix(count).write(to: file)
        #expect { try HuggingFaceFolder.read(file) } throws: { "\($0)".contains("cut.gguf") }
      }
    }
  }

  @Test("a byte that is wrong ends in an error or another model, never in a crash")
  func damaged() throws {
    let whole = try Data(contentsOf: url("llama.gguf"))
    var generator = SeededGenerator(seed: 5, for: "damage")
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "bad.gguf")
      for _ in 0..<150 {
        var damaged = whole
        // Most of what can go wrong stands before the numbers.
        let place = Int(generator.uniform() * Double(min(whole.count, 14_000)))
        damaged[place] = UInt8(truncatingIfNeeded: generator.next())
        try damaged.write(to: file)
        _ = try? HuggingFaceFolder.read(file)
      }
    }
  }

  @Test(
    "what is not read is told by name",
    arguments: [
      (3, "version is 9"), (-1, "does not start with GGUF"),
    ] as [(Int, String)])
  func kinds(version: Int, says: String) throws {
    var data = try Data(contentsOf: url("scalars.gguf"))
    if version > 0 { data[4] = 9 } else { data[0] = 0x58 }
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "x.gguf")
      try data.write(to: file)
      #expect { try HuggingFaceFolder.read(file) } throws: { "\($0)".contains(says) }
    }
    #expect { try HuggingFaceFolder.read(url("scalars.gguf")) } throws: {
      "\($0)".contains("'scalars' is not supported")
    }
  }
}
