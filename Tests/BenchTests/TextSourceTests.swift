import Bench
import Diffing
import Foundation
import Methods
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Text for one's own models")
struct TextSourceTests {
  private let project = Project(root: Fixtures.repository)

  /// A pair of models of one folder, with a tokenizer of text and maybe a template of chats.
  private func withPair(
    template: String? = nil, _ body: (PairFolders, any Tokenizer) throws -> Void
  ) throws {
    try Fixtures.withTemporaryFolder { folder in
      let place = folder.appending(path: "model")
      let file = Fixtures.url("tokenizers/gpt2/tokenizer.json")
      let tokenizer = try HuggingFaceFolder.readTokenizer(file.deletingLastPathComponent())
      try HuggingFaceFolder.write(
        TinyModels.llama(vocabulary: tokenizer.count), tokenizer: nil, to: place)
      try FileManager.default.copyItem(at: file, to: place.appending(path: "tokenizer.json"))
      if let template {
        try Data(template.utf8).write(to: place.appending(path: "chat_template.jinja"))
      }
      try body(PairFolders(base: place, finetuned: place, insists: true), tokenizer)
    }
  }

  @Test("who names no text gets sentences and questions that come with Assay")
  func shipped() throws {
    try withPair { models, tokenizer in
      let source = try TextSource(project, models: models, files: .init())
      let (unrelated, pool) = (try #require(source.prompts(.unrelated)), source.prompts(.pool))
      #expect(unrelated.text.rows == 64 && pool?.text.rows == 64)
      #expect(tokenizer.decode(unrelated.text.row(0)).hasPrefix("The committee met on Tuesday"))
      #expect(pool?.reference == unrelated.text)
    }
  }

  @Test("prompts are put as the chat that the models know, unless told otherwise")
  func chats() throws {
    let template = "<start_of_turn>user <end_of_turn> <start_of_turn>model"
    try withPair(template: template) { models, tokenizer in
      func first(_ putsPlainly: Bool) throws -> String? {
        let files = TextSource.Files(putsPlainly: putsPlainly)
        return try TextSource(project, models: models, files: files).prompts(.pool)
          .map { tokenizer.decode($0.text.row(0)) }
      }
      let question = "What is the capital of Australia?"
      let (chat, plain) = (try first(false), try first(true))
      #expect(chat == "<start_of_turn>user\n\(question)<end_of_turn>\n<start_of_turn>model\n")
      #expect(plain == question)
    }
  }

  @Test("of a text alone prompts are made too; prompts alone leave the sentences")
  func own() throws {
    try withPair { models, tokenizer in
      try Fixtures.withTemporaryFolder { folder in
        let file = folder.appending(path: "rows.txt").path
        try "One row.\nAnother row, of more words.\n".write(
          toFile: file, atomically: true, encoding: .utf8)
        let text = try TextSource(project, models: models, files: .init(text: file))
        #expect(text.prompts(.unrelated)?.text == text.prompts(.pool)?.text)
        let prompts = try TextSource(project, models: models, files: .init(prompts: file))
        #expect(prompts.prompts(.pool)?.text.rows == 2)
        #expect(prompts.prompts(.unrelated)?.text.rows == 64)
        #expect(throws: TextError.self) {
          try TextSource(project, models: models, files: .init(text: file + ".no"))
        }
      }
    }
  }

  @Test("a large vocabulary has fewer answers read")
  func answers() throws {
    try withPair { models, _ in
      let prompts = try #require(
        TextSource(project, models: models, files: .init()).prompts(.unrelated))
      #expect(prompts.limits.answers == (1 << 24) / models.base.shape.vocabulary)
      let size = models.base.parameters.layout.count
      let modules = 2 * models.base.shape.layers + 1
      #expect(prompts.limits.exchanged == 2_500_000_000_000 / (2 * size * modules))
      #expect(prompts.limits.exchanged > 100_000)
      let few = PromptSet(
        access: .unrelated, text: prompts.text, reference: TokenBatch([]), documentStart: nil,
        specialTokens: [], limits: ReadingLimits(answers: 10, exchanged: 20))
      #expect(few.answerIndices.count == 10)
      #expect(Set(few.answerIndices).isSubset(of: prompts.countedTokens))
    }
  }
}
