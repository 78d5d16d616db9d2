import Foundation
import JSON
import TestSupport
import Testing
import Transformers

@Suite("Word tokenizers of others")
struct WordTokenizerTests {
  /// Reads a `tokenizer.json` with these parts beside a model of eight tokens.
  private func read(
    vocabulary: String, added: String = "[]", processor: String = "null",
    rest: String = #""normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"}"#,
    configuration: String = "{}"
  ) throws -> Checkpoint {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "m")
      try HuggingFaceFolder.write(TinyModels.llama(vocabulary: 8), tokenizer: nil, to: url)
      let text = """
        {"added_tokens": \(added), "post_processor": \(processor), \(rest),
         "model": {"type": "WordLevel", "vocab": \(vocabulary), "unk_token": "a"}}
        """
      try Data(text.utf8).write(to: url.appending(path: "tokenizer.json"))
      try Data(configuration.utf8).write(to: url.appending(path: "tokenizer_config.json"))
      return try HuggingFaceFolder.read(url)
    }
  }

  /// With it, words that are unknown would be padding.
  private static let padding = #"{"pad_token": "a"}"#

  private static func start(_ name: String, _ id: Int) -> String {
    """
    {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "\(name)", "type_id": 0}},
     {"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {"\(name)": {"ids": [\(id)]}}}
    """
  }

  private static func special(_ name: String, _ id: Int, isSpecial: Bool = true) -> String {
    #"[{"id": \#(id), "content": "\#(name)", "special": \#(isSpecial)}]"#
  }

  @Test("special tokens and the start are those that the file names, wherever they stand")
  func last() throws {
    let checkpoint = try read(
      vocabulary: #"{"a": 0, "b": 1}"#, added: Self.special("[S]", 2),
      processor: Self.start("[S]", 2))
    let tokenizer = try #require(checkpoint.tokenizer)
    #expect(tokenizer.specialTokens == [2] && tokenizer.documentStart == 2)
    #expect(checkpoint.markers == TokenMarkers(documentStart: 2, specialTokens: [2]))
    #expect(try tokenizer.document("b a") == [2, 1, 0])
    #expect(try tokenizer.document("[S] b a") == [2, 1, 0], "a start that is written out")
    #expect(try tokenizer.encode("b a") == [1, 0])
  }

  @Test("token 0 can start a document, and a document can have no start")
  func starts() throws {
    let first = try read(
      vocabulary: #"{"[S]": 0, "a": 1}"#, added: Self.special("[S]", 0),
      processor: Self.start("[S]", 0))
    #expect(try first.tokenizer?.document("a") == [0, 1])
    let none = try read(vocabulary: #"{"a": 0, "b": 1}"#)
    #expect(try none.tokenizer?.document("a") == [0])
    #expect(none.markers == TokenMarkers(documentStart: nil, specialTokens: []))
  }

  @Test("a start that tokenizer_config.json names is put there only if it says so")
  func named() throws {
    let words = #"{"a": 0, "[S]": 1}"#
    for (configuration, start) in [
      (
        #"{"bos_token": "[S]", "add_bos_token": true, "model_max_length": 1000000000000000019884624838656}"#,
        1
      ),
      (#"{"bos_token": {"content": "[S]"}, "add_bos_token": true}"#, 1),
      (#"{"bos_token": "[S]", "add_bos_token": false}"#, nil), (#"{"bos_token": "[S]"}"#, nil),
      (#"{"bos_token": "x", "add_bos_token": true}"#, nil),
      ("no JSON", nil),
    ] as [(String, Int?)] {
      let found = try read(vocabulary: words, configuration: configuration).tokenizer
      #expect(found?.documentStart == start, "\(configuration)")
    }
  }

  @Test("processors of other kinds put their tokens around a text, or are refused by name")
  func processors() throws {
    let words = #"{"a": 0, "[S]": 1, "[E]": 2}"#
    let bert = #"{"type": "RobertaProcessing", "cls": ["[S]", 1], "sep": ["[E]", 2]}"#
    let sequence = #"{"type": "Sequence", "processors": [{"type": "ByteLevel"}, \#(bert)]}"#
    for processor in [bert, sequence] {
      #expect(
        try read(vocabulary: words, processor: processor).tokenizer?.document("a") == [1, 0, 2])
    }
    let odd = try read(vocabulary: words, processor: #"{"type": "Odd"}"#)
    #expect(odd.tokenizer == nil && odd.notices[0].contains("post_processor"))
  }

  @Test("words that were added later are words; ids may have holes")
  func addedWords() throws {
    let checkpoint = try read(
      vocabulary: #"{"a": 0, "b": 5}"#, added: Self.special("zebra", 6, isSpecial: false),
      configuration: Self.padding)
    let tokenizer = try #require(checkpoint.tokenizer)
    #expect(try tokenizer.encode("zebra b a") == [6, 5, 0])
    #expect(tokenizer.count == 7 && tokenizer.word(3) == "#3" && tokenizer.specialTokens == [0])
    #expect { try tokenizer.encode("zebras") } throws: { "\($0)".contains("'zebra'") }
  }

  @Test("tokens that have a role in the files beside are special")
  func roles() throws {
    let checkpoint = try read(
      vocabulary: #"{"a": 0, "[P]": 1, "[U]": 2, "[E]": 3}"#,
      configuration: """
        {"pad_token": "[P]", "additional_special_tokens": ["[U]", "x"], "eos_token": {"content": "[E]"}}
        """)
    #expect(checkpoint.markers == TokenMarkers(documentStart: nil, specialTokens: [1, 2, 3]))
  }

  @Test("an added token within a word is told; where none stands for padding, it is cut out")
  func addedWithin() throws {
    let vocabulary = #"{"a": 0, "matcat": 1}"#, added = Self.special("mat", 2, isSpecial: false)
    let within = try read(vocabulary: vocabulary, added: added, configuration: Self.padding)
    #expect(throws: UnsupportedText.self) { try within.tokenizer?.encode("matcat") }
    let others = try read(vocabulary: vocabulary, added: added)
    #expect(try others.tokenizer?.encode("matcat") == [2, 0])
    let spaced = try read(
      vocabulary: #"{"a": 0}"#, added: Self.special("the cat", 2, isSpecial: false))
    #expect(try spaced.tokenizer?.encode("a the cat") == [0, 2])
    let other = try read(
      vocabulary: #"{"a": 0}"#,
      processor: """
        {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B"}}], "special_tokens": {}}
        """)
    #expect(other.tokenizer == nil && !other.notices.isEmpty)
  }

  @Test("two spellings of a visible word are two words")
  func twins() throws {
    let checkpoint = try read(vocabulary: "{\"caf\u{E9}\": 0, \"cafe\u{301}\": 1}")
    #expect(try checkpoint.tokenizer?.encode("cafe\u{301} caf\u{E9}") == [1, 0])
  }

  @Test("white space is cut by scalars, as others do; an unknown word is not read as padding")
  func space() throws {
    for (configuration, unknown) in [(Self.padding, nil), ("{}", 0)] as [(String, Int?)] {
      let checkpoint = try read(vocabulary: #"{"a": 0, "b": 1}"#, configuration: configuration)
      let tokenizer = try #require(checkpoint.tokenizer)
      #expect(try tokenizer.encode("a\r\nb\tb\u{A0}a") == [0, 1, 1, 0])
      guard let unknown else {
        #expect(throws: UnknownWord.self) { try tokenizer.encode("b \u{301}b") }
        continue
      }
      #expect(try tokenizer.encode("b \u{301}b") == [1, unknown])
    }
  }

  @Test(
    "a tokenizer that cuts otherwise is read as its own library reads it",
    arguments: [
      (
        #""normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "WhitespaceSplit"}"#,
        [1, 0, 0]
      ),
      (#""normalizer": null, "pre_tokenizer": {"type": "Whitespace"}"#, [0, 0, 0, 0]),
      (#""normalizer": null"#, [0]),
    ] as [(String, [Int])])
  func otherCuts(rest: String, ids: [Int]) throws {
    let tokenizer = try #require(try read(vocabulary: #"{"a": 0, "b": 1}"#, rest: rest).tokenizer)
    #expect(try tokenizer.encode("B a a!") == ids)
  }

  @Test(
    "a tokenizer that is wrong leaves the model readable, with a notice",
    arguments: [
      (#"{"a": 0, "b": 0}"#, "[]", "another word's"), (#"{"a": -1}"#, "[]", "no sensible number"),
      (#"{"a": 99999999999}"#, "[]", "no sensible number"), (#"{"a": 9}"#, "[]", "10 tokens"),
      (#"{"a": 0}"#, #"[{"id": 1, "content": "a"}]"#, "two ids"), ("{}", "[]", "no object"),
      (#"{"a": 0}"#, #"[{"content": "a"}]"#, "added_tokens"),
    ])
  func wrong(vocabulary: String, added: String, says: String) throws {
    let checkpoint = try read(vocabulary: vocabulary, added: added)
    #expect(checkpoint.tokenizer == nil)
    #expect(checkpoint.notices.first?.contains(says) == true, "\(checkpoint.notices)")
  }

  @Test("tokenizers that disagree are told apart by ids")
  func disagreements() {
    let one = WordTokenizer(vocabulary: ["a", "b", "\u{E9}"], specials: [], documentStart: nil)
    let two = WordTokenizer(
      vocabulary: ["a", "c", "e\u{301}", "d"], specials: [], documentStart: nil)
    #expect(one.disagreements(with: two) == [1, 2])
  }
}
