import Foundation
import JSON
import TestSupport
import Testing

@testable import Transformers

@Suite("Tokenizers of parts")
struct PipelineTokenizerTests {
  /// A tokenizer of these parts; byte pairs over a, b, c unless another model is given.
  private func read(
    model: String = Self.pairs, added: String = "[]", parts: String = "", folder: URL? = nil
  ) throws -> any Tokenizer {
    try Fixtures.withTemporaryFolder { folder in
      let text = #"{"added_tokens": \#(added)\#(parts), "model": \#(model)}"#
      try Data(text.utf8).write(to: folder.appending(path: "tokenizer.json"))
      return try HuggingFaceFolder.readTokenizer(folder)
    }
  }

  private static let pairs = """
    {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4, "abc": 5, "aa": 6},
     "merges": ["b c", ["a", "b"], "a bc", "a a"]}
    """

  private static func part(_ role: String, _ part: String) -> String { #", "\#(role)": \#(part)"# }

  @Test(
    "the earliest merge is made first, leftmost first",
    arguments: [
      ("abc", [5]), ("ab", [3]), ("aab", [0, 3]), ("aaa", [6, 0]), ("aaaa", [6, 6]),
      ("bcbc", [4, 4]), ("cab", [2, 3]), ("", []), ("aabcab", [0, 5, 3]), ("bab", [1, 3]),
    ] as [(String, [Int])])
  func merges(text: String, ids: [Int]) throws {
    #expect(try read().encode(text) == ids)
  }

  @Test("a long piece takes no time that grows with its square")
  func long() throws {
    let count = 200_000
    let ids = try read().encode(String(repeating: "a", count: count))
    #expect(ids == Array(repeating: 6, count: count / 2))
  }

  @Test("what is no token is dropped without an unknown token, and is one unknown each with it")
  func unknown() throws {
    #expect(try read().encode("axxb") == [3], "what stood beside it are neighbours")
    func model(_ settings: String) -> String {
      #"{"type": "BPE", "vocab": {"u": 0, "a": 1, "<0x78>": 2}, "merges": [], \#(settings)}"#
    }
    #expect(try read(model: model(#""unk_token": "u""#)).encode("axya") == [1, 0, 0, 1])
    #expect(
      try read(model: model(#""unk_token": "u", "fuse_unk": true"#)).encode("axya") == [1, 0, 1])
    let bytes = try read(model: model(#""unk_token": "u", "byte_fallback": true"#))
    #expect(try bytes.encode("axa") == [1, 2, 1])
    #expect(try bytes.encode("aéa") == [1, 0, 1], "only if all of its bytes have tokens")
  }

  @Test("added tokens are found wherever they stand, the longest first, as whole words if asked")
  func added() throws {
    func entry(_ text: String, _ id: Int, _ flags: String = "") -> String {
      #"{"id": \#(id), "content": "\#(text)"\#(flags)}"#
    }
    let added = [
      entry("<", 7), entry("<<", 8), entry("ca", 9, #", "single_word": true"#),
      entry("|", 10, #", "lstrip": true, "rstrip": true"#),
    ]
    let tokenizer = try read(added: "[\(added.joined(separator: ","))]")
    #expect(try tokenizer.encode("a<<<b") == [0, 8, 7, 1])
    #expect(try tokenizer.encode("ca cab ca") == [9, 2, 3, 9])
    #expect(try tokenizer.encode("a  |  b") == [0, 10, 1])
  }

  @Test("a token that is looked for in normalised text is found there alone")
  func normalized() throws {
    let lower = Self.part("normalizer", #"{"type": "Lowercase"}"#)
    func added(_ isNormalized: Bool) -> String {
      #"[{"id": 7, "content": "Q", "normalized": \#(isNormalized)}]"#
    }
    #expect(try read(added: added(true), parts: lower).encode("AqQ") == [0, 7, 7])
    #expect(try read(added: added(false), parts: lower).encode("AqQ") == [0, 7])
  }

  @Test("tokens are shown with blanks visible and bytes of no character by number")
  func visible() throws {
    let tokenizer = try read(
      model: #"{"type": "BPE", "vocab": {"ĠowlĊ": 0, "ðŁ": 1, "Ã©": 2, "ĉâĢĭ": 3}, "merges": []}"#,
      parts: Self.part("decoder", #"{"type": "ByteLevel"}"#))
    #expect((0..<4).map(tokenizer.word) == ["␣owl\\n", "<0xF0><0x9F>", "é", "\\t\\u{200B}"])
    #expect(tokenizer.decode([0, 2]) == " owl\né")
    #expect(tokenizer.decode([1]) == "\u{FFFD}")
  }

  @Test(
    "a part that is not known is refused by its name",
    arguments: [
      (part("normalizer", #"{"type": "Nmt"}"#), "'Nmt'"),
      (part("pre_tokenizer", #"{"type": "UnicodeScripts"}"#), "'UnicodeScripts'"),
      (part("decoder", #"{"type": "CTC"}"#), "'CTC'"),
      (part("post_processor", #"{"type": "Odd"}"#), "post_processor"),
      (
        part(
          "pre_tokenizer", #"{"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"}"#),
        "regular expression"
      ),
      (
        part("pre_tokenizer", #"{"type": "Split", "pattern": {"String": "x"}, "behavior": "Odd"}"#),
        "'Odd'"
      ),
      (
        part(
          "normalizer",
          #"{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Precompiled"}]}"#),
        "'Precompiled'"
      ),
    ])
  func unknownParts(parts: String, says: String) {
    #expect { try read(parts: parts) } throws: { "\($0)".contains(says) }
  }

  @Test(
    "a model that is wrong is refused with what is wrong",
    arguments: [
      (#"{"type": "Unigram", "vocab": []}"#, "'Unigram'"),
      (#"{"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}"#, "entry 0"),
      (#"{"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}"#, "no pair"),
      (#"{"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}"#, "another word's"),
      (#"{"type": "BPE", "vocab": {"a": 0}}"#, "'merges'"), ("[]", "no object"),
      (#"{"type": "WordLevel", "vocab": {"a": "x"}}"#, "no sensible number"),
    ])
  func wrongModels(model: String, says: String) {
    #expect { try read(model: model) } throws: { "\($0)".contains(says) }
  }

  @Test(
    "Hangul is composed of what composes, and of nothing at the ends of its ranges",
    arguments: [
      ("\u{1100}\u{1161}", "\u{AC00}"), ("\u{1112}\u{1175}\u{11C2}", "\u{D7A3}"),
      ("\u{AC00}\u{11A8}", "\u{AC01}"), ("\u{1100}\u{1176}", "\u{1100}\u{1176}"),
      ("\u{1113}\u{1161}", "\u{1113}\u{1161}"), ("\u{AC00}\u{11A7}", "\u{AC00}\u{11A7}"),
      ("\u{AC00}\u{11C3}", "\u{AC00}\u{11C3}"), ("\u{AC01}\u{11A8}", "\u{AC01}\u{11A8}"),
      ("e\u{301}\u{1100}\u{1161}e\u{301}", "é\u{AC00}é"),
    ])
  func hangul(text: String, composed: String) {
    let found = CanonicalComposition.composed(text)
    #expect(found.unicodeScalars.elementsEqual(composed.unicodeScalars))
  }

  @Test("a file of 2019 has no type of model, and no other keys")
  func old() throws {
    #expect(try read(model: #"{"vocab": {"a": 0}, "merges": []}"#).encode("a") == [0])
  }
}
