import Foundation
import JSON
import TestSupport
import Testing
import Transformers

/// What the `tokenizers` library made of lines in many scripts, for a small tokenizer of each kind.
@Suite("Tokenizers against the library's own ids")
struct TokenizerReferenceTests {
  static let kinds = [
    "gemma", "gpt2", "llama2", "llama3", "metaspace", "mistral", "o200k", "prefixed", "qwen2",
    "smollm2", "suffixed", "words",
  ]

  private struct Case: Decodable {
    let text: String
    let ids: [Int]
    /// With what surrounds a document.
    let document: [Int]
    let decoded: String
  }

  private func folder(_ kind: String) -> URL { Fixtures.url("tokenizers/\(kind)") }

  private func cases(_ kind: String) throws -> [Case] {
    try Data(contentsOf: folder(kind).appending(path: "cases.jsonl")).split(separator: 0x0A)
      .map { try JSON.decode(Case.self, from: Data($0), file: kind) }
  }

  @Test("ids and texts are the library's", arguments: kinds)
  func agrees(kind: String) throws {
    let tokenizer = try HuggingFaceFolder.readTokenizer(folder(kind))
    let cases = try cases(kind)
    #expect(cases.count == 80)
    for line in cases {
      #expect(try tokenizer.encode(line.text) == line.ids, "\(line.text.debugDescription)")
      #expect(try tokenizer.document(line.text) == line.document)
      let decoded = tokenizer.decode(line.ids)
      #expect(decoded.unicodeScalars.elementsEqual(line.decoded.unicodeScalars), "\(line.ids)")
    }
  }

  @Test("every token has an entry, and is shown by something that can be read", arguments: kinds)
  func entries(kind: String) throws {
    let tokenizer = try HuggingFaceFolder.readTokenizer(folder(kind))
    for id in 0..<tokenizer.count {
      let entry = try #require(tokenizer.entry(id))
      #expect(tokenizer.id(entry) == id)
      let word = tokenizer.word(id)
      #expect(!word.isEmpty && !word.contains(" ") && Printable.line(word) == word, "\(id)")
    }
    #expect(tokenizer.entry(tokenizer.count) == nil)
    #expect(tokenizer.word(tokenizer.count) == "#\(tokenizer.count)")
    #expect(tokenizer.isOfWholeWords == (kind == "words"))
  }

  @Test("special tokens are those that the file marks")
  func specials() throws {
    let tokenizer = try HuggingFaceFolder.readTokenizer(folder("llama3"))
    #expect(Set(tokenizer.specialTokens.map(tokenizer.word)) == ["<s>", "<|end|>"])
    #expect(tokenizer.documentStart.map(tokenizer.word) == "<s>")
    let other = try HuggingFaceFolder.readTokenizer(folder("gpt2"))
    #expect(other.documentStart == nil && Set(other.specialTokens.map(other.word)) == ["<|end|>"])
  }
}
