import Foundation
import JSON
import TestSupport
import Testing
import Transformers

@Suite("Chats against Jinja's own")
struct ChatFormatTests {
  struct Case: Decodable {
    let name: String
    let kind: String?
    let template, start, end: String
    let texts, prompts: [String]
    let chats: [Chat]
  }

  struct Chat: Decodable {
    let turns: [Turn]
    let text: String
  }

  struct Turn: Decodable {
    let role, text: String
  }

  static let cases = (try? JSON.decode([Case].self, contentsOf: Fixtures.url("chats.json"))) ?? []

  @Test("there are templates")
  func templates() { #expect(Self.cases.count == 11) }

  @Test("a template is recognised, and a question is put as it puts it", arguments: cases.indices)
  func prompt(index: Int) throws {
    let example = Self.cases[index]
    let format = ChatFormat(
      template: example.template, start: example.start, end: example.end)
    #expect(format?.kind.rawValue == example.kind, "\(example.name)")
    guard let format else { return }
    #expect(example.texts.map(format.prompt) == example.prompts, "\(example.name)")
  }

  @Test(
    "a whole chat is put as it puts it, and its turns are found again", arguments: cases.indices)
  func chat(index: Int) throws {
    let example = Self.cases[index]
    guard
      let format = ChatFormat(
        template: example.template, start: example.start, end: example.end)
    else { return }
    for chat in example.chats {
      let turns = try chat.turns.map {
        ChatFormat.Turn(role: try #require(ChatFormat.Role(rawValue: $0.role)), text: $0.text)
      }
      let said = format.said(turns)
      #expect(said.before + said.answer + said.end == chat.text, "\(example.name)")
      #expect(said.answer == turns.last?.text)
      let words = format.marked(chat.text).split(whereSeparator: \.isWhitespace)
      let marks = words.filter { $0 == "<user>" || $0 == "<assistant>" }
      #expect(marks.map { "\($0)" } == turns.map(\.role.mark).filter { $0 != "<system>" })
      #expect(words.suffix(2).joined(separator: " ").hasSuffix("\(said.answer.suffix(4))"))
    }
  }

  @Test("a folder's template is found in any of its places")
  func places() throws {
    let template = Self.cases[0].template
    let quoted = JSON.text(of: .string(template), layout: .compact)
    let others = #"{"name": "tool_use", "template": "x"}"#
    for (file, text) in [
      ("chat_template.jinja", template),
      ("tokenizer_config.json", #"{"chat_template": \#(quoted)}"#),
      (
        "tokenizer_config.json",
        #"{"chat_template": [\#(others), {"name": "default", "template": \#(quoted)}]}"#
      ),
    ] {
      try Fixtures.withTemporaryFolder { folder in
        let source = Fixtures.url("tokenizers/gpt2/tokenizer.json")
        try FileManager.default.copyItem(at: source, to: folder.appending(path: "tokenizer.json"))
        let model = TinyModels.llama(vocabulary: 700)
        try HuggingFaceFolder.write(model, tokenizer: nil, to: folder.appending(path: "model"))
        let place = folder.appending(path: "model")
        try FileManager.default.copyItem(at: source, to: place.appending(path: "tokenizer.json"))
        try Data(text.utf8).write(to: place.appending(path: file))
        let read = try HuggingFaceFolder.read(place)
        #expect(read.chat?.kind == .chatML && read.hasChatTemplate, "\(file)")
      }
    }
  }
}
