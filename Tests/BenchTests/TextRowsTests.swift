import Foundation
import TestSupport
import Testing
import Transformers

@testable import Bench

@Suite("Rows of a text file")
struct TextRowsTests {
  private static let words = WordTokenizer(
    vocabulary: ["<pad>", "<bos>", "the", "cat", "7"], specials: [0, 1], documentStart: 1)

  private func rows(
    _ text: String, _ tokenizer: WordTokenizer? = Self.words, other: WordTokenizer? = nil
  ) throws -> [[Int]] {
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "rows.txt")
      try Data(text.utf8).write(to: file)
      return try TextRows(
        file.path, .init(tokenizer: tokenizer, other: other, vocabulary: 9, context: 5)
      ).tokens
    }
  }

  @Test(
    "the same text is the same rows, whatever program saved it",
    arguments: [
      "the cat\nthe\n", "the cat\r\nthe\r\n", "the cat\rthe", "\u{FEFF}the cat\nthe",
      "the cat\n\nthe",
      "\tthe  cat \n \nthe", "the cat\n\rthe", "<bos> the cat\nthe",
    ])
  func lineEnds(text: String) throws {
    #expect(try rows(text) == [[1, 2, 3], [1, 2]])
  }

  @Test("a file is of ids only if its words are no words of the tokenizer")
  func ids() throws {
    #expect(try rows("1 2\r\n3", nil) == [[1, 2], [3]])
    #expect(try rows("1 2\n3") == [[1, 2], [3]])
    #expect(try rows("7 7\n7") == [[1, 4, 4], [1, 4]])
  }

  @Test(
    "a mistake is told with file and line",
    arguments: [
      ("the\nzebra", ":2: 'zebra'"), ("the cat the\n\n3 4", ":3: '3'"),
      ("1 2\n1 0x5 3", ":2: '0x5'"), ("1\n99", ":2: token 99"),
      ("1\n1 1 1 1 1 1", ":2: 6 tokens do not fit"), ("", "no text"), (" \n", "no text"),
      ("-1", ":1: token -1"), ("the \u{301}cat", ":1: "),
    ])
  func mistakes(text: String, says: String) {
    #expect { try rows(text) } throws: { "\($0)".contains("rows.txt") && "\($0)".contains(says) }
  }

  @Test("words without a tokenizer, and two tokenizers that cut a line differently, are refused")
  func tokenizers() {
    #expect { try rows("the", nil) } throws: { "\($0)".contains("no tokenizer") }
    let other = WordTokenizer(
      vocabulary: ["<pad>", "<bos>", "cat", "the"], specials: [0, 1], documentStart: 1)
    #expect { try rows("the", other: other) } throws: { "\($0)".contains(":1:") }
    #expect(throws: Never.self) { try rows("the", other: Self.words) }
  }

  @Test("objects hold the text of a row, line ends and all; numbers in it are words")
  func objects() throws {
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "rows.jsonl")
      let reader = TextRows.Reader(
        tokenizer: Self.words, other: nil, vocabulary: 9, context: 5)
      try Data("{\"text\": \"the\\ncat\", \"id\": 1}\n\n{\"text\": \"7\"}".utf8).write(to: file)
      #expect(try TextRows(file.path, reader).tokens == [[1, 2, 3], [1, 4]])
      try Data("{\"text\": \"the\"}\n{\"txt\": \"the\"}".utf8).write(to: file)
      #expect { try TextRows(file.path, reader) } throws: { "\($0)".contains(":2: ") }
    }
  }

  @Test("a byte that is no text is told with its line")
  func bytes() throws {
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "rows.txt")
      try Data([0x74, 0x68, 0x65, 0x0D, 0x0A, 0x0A, 0x63, 0xFF, 0x0A]).write(to: file)
      #expect {
        try TextRows(
          file.path, .init(tokenizer: Self.words, other: nil, vocabulary: 9, context: 5))
      } throws: {
        "\($0)".contains("rows.txt:3: is not UTF-8")
      }
    }
  }

  @Test("what is no text file is refused", arguments: ["/dev/zero", "/", "/nowhere"])
  func noFile(path: String) {
    #expect {
      try TextRows(path, .init(tokenizer: nil, other: nil, vocabulary: 9, context: 5))
    } throws: {
      "\($0)".contains(path)
    }
  }
}
