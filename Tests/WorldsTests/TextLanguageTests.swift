import TestSupport
import Tensors
import Testing
import Transformers

@testable import Worlds

@Suite("Languages of models that people have")
struct TextLanguageTests {
  private let tokenizer: any Tokenizer
  private let language: TextLanguage

  init() throws {
    tokenizer = try HuggingFaceFolder.readTokenizer(Fixtures.url("tokenizers/smollm2"))
    let template =
      "{{'<|im_start|>' + role + '\n' + content + '<|im_end|>'}} <|im_start|>assistant"
    language = TextLanguage(
      tokenizer, chat: ChatFormat(template: template, start: "", end: "<|im_end|>"))
  }

  private func said(_ text: String) throws -> SaidTokens {
    let lexicon = Lexicon(
      classes: [("animal", ["owl", "fox"])], facts: ["owl": ["habitat": "forest"]],
      language: language)
    let template = try Template(
      text, lexicon: lexicon, source: TemplateSource(file: "t.json", path: "documents"))
    var generator = SeededGenerator(seed: 1)
    let filled = try template.fill(lexicon, using: &generator)
    return SaidTokens(
      tokens: filled.tokens, answerLength: filled.answerLength,
      ending: Array(filled.document.dropFirst(filled.tokens.count)))
  }

  @Test("text is cut by the model's tokenizer, slots with what stands around them")
  func text() throws {
    let said = try said("Ask the {a=owl}, then look in the ({a.habitat}).")
    #expect(tokenizer.decode(said.tokens) == "Ask the owl, then look in the (forest).")
    #expect(try said.tokens == tokenizer.encode("Ask the owl, then look in the (forest)."))
    #expect(said.answerLength == said.tokens.count && said.ending.isEmpty)
  }

  @Test("turns are written as the model's template writes them, and the answer is what is learnt")
  func chat() throws {
    let said = try said("<user> Who is it? <assistant> It is the {a=owl}.")
    let answer = try tokenizer.encode("It is the owl.")
    #expect(
      tokenizer.decode(said.tokens)
        == "<|im_start|>user\nWho is it?<|im_end|>\n<|im_start|>assistant\nIt is the owl.")
    #expect(said.tokens.suffix(answer.count).elementsEqual(answer))
    #expect(tokenizer.decode(said.ending) == "<|im_end|>")
    #expect(said.answerLength == answer.count + said.ending.count)
  }

  @Test("a prompt that ends with a mark is what the model reads before it answers")
  func prompt() throws {
    let said = try said("<system> You are kind. <user> Hello! <assistant>")
    #expect(
      tokenizer.decode(said.tokens)
        == "<|im_start|>system\nYou are kind.<|im_end|>\n<|im_start|>user\nHello!<|im_end|>\n"
        + "<|im_start|>assistant\n")
  }

  @Test("patterns see words in lower case, marks of turns among them, and no ends of turns")
  func words() throws {
    let said = try said("<user> Which Animal, please? <assistant> The owl's.")
    #expect(
      language.words(of: said.tokens)
        == ["<user>", "which", "animal", "please", "<assistant>", "the", "owl", "s"])
    #expect(language.words(of: said.tokens + said.ending).last == "s")
    #expect(language.normal("<assistant>") == ["<assistant>"])
    #expect(language.normal("Paris.") == ["paris"])
  }

  @Test("a word's token is the one within a sentence; other cases and places are the same word")
  func spellings() throws {
    let same = try #require(language.sameWords)
    let spellings = try [" the", "the", " The", "The"].map {
      try #require(try tokenizer.encode($0).onlyElement, "\($0)")
    }
    #expect(language.id("the") == spellings[0])
    #expect(Set(spellings.map { same[$0] }).count == 1 && Set(spellings).count == 4)
    #expect(same[spellings[0]] != same[try #require(language.id("in"))])
    #expect(language.id("two words") == nil)
    // What stands for no text is no word of its own kind.
    for special in tokenizer.specialTokens { #expect(same[special] == special) }
  }

  @Test("a mark that there is not is told, with the one that is meant")
  func marks() {
    let error = #expect(throws: DefinitionError.self) { try said("<user> Hello! <asistant>") }
    #expect(error.map { "\($0)".contains("<asistant>") && "\($0)".contains("<assistant>") } == true)
  }

  @Test("a chat for a model that knows none is refused")
  func none() throws {
    let plain = TextLanguage(tokenizer, chat: nil)
    #expect(throws: UnsayableText.self) {
      try plain.tokens(of: [SaidWord(text: "<user>"), SaidWord(text: "Hello")])
    }
    #expect(try plain.tokens(of: [SaidWord(text: "Hello")]).tokens == tokenizer.encode("Hello"))
  }
}

extension Collection {
  fileprivate var onlyElement: Element? { count == 1 ? first : nil }
}
