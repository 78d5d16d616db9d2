import Files
import Foundation
import JSON
import TestSupport
import Testing
import Transformers

@testable import Bench

@Suite("A pair for servers")
struct ServablePairTests {
  private func exported(
    _ fill: (URL) throws -> Void, _ body: (ServablePair, URL) throws -> Void
  ) throws {
    try Fixtures.withTemporaryFolder { folder in
      let pair = folder.appending(path: "pair")
      try FileManager.default.createDirectory(at: pair, withIntermediateDirectories: true)
      try fill(pair)
      let out = folder.appending(path: "it's out")
      try body(try ServablePair(base: pair, finetuned: nil, to: out), out)
    }
  }

  private static func write(_ words: [String]) -> (URL) throws -> Void {
    let model = TinyModels.llama(vocabulary: words.count)
    let tokenizer = WordTokenizer(vocabulary: words, specials: [0], documentStart: 0)
    return { pair in
      for name in ["base", "finetuned"] {
        try HuggingFaceFolder.write(model, tokenizer: tokenizer, to: pair.appending(path: name))
      }
    }
  }

  private func config(_ folder: URL) throws -> JSONValue {
    let file = folder.appending(path: "base/tokenizer_config.json")
    return try JSON.parse(Data(contentsOf: file), file: "config")
  }

  @Test("a model whose words mark turns gets a template for chats, and nothing else of it changes")
  func template() throws {
    try exported(Self.write(["<bos>", "<user>", "<assistant>", "owl"])) { _, out in
      let config = try config(out)
      #expect(config["chat_template"] == .string(ServablePair.template))
      #expect(config["bos_token"] == .string("<bos>"))
      let read = try HuggingFaceFolder.read(out.appending(path: "finetuned"))
      #expect(read.model.shape.vocabulary == 4)
    }
    try exported(Self.write(["<bos>", "cat", "owl"])) { _, out in
      let config = try config(out)
      #expect(config["chat_template"] == nil)
    }
  }

  @Test(
    "two models are served by two servers, a model with an adapter by one, whatever the folder is called"
  )
  func commands() throws {
    try exported(Self.write(["<bos>", "cat"])) { pair, out in
      let lines = pair.ways.flatMap(\.lines)
      #expect(pair.ways.map(\.server).contains("transformers"))
      #expect(lines.contains { $0.hasPrefix("vllm serve '") && $0.contains("it'\\''s out/base'") })
      #expect(
        lines.count { $0.hasPrefix("./assay diff --endpoint base=http://127.0.0.1:8001/v1,") } == 3)
    }
    try exported({ pair in
      try FileManager.default.copyItem(
        at: Fixtures.url("transformers/linear"), to: pair.appending(path: "base"))
      try FileManager.default.copyItem(
        at: Fixtures.url("peft/plain"), to: pair.appending(path: "adapter"))
    }) { pair, out in
      #expect(pair.ways.count == 1)
      #expect(pair.ways[0].lines[0].contains("--enable-lora --lora-modules finetuned="))
      #expect(pair.ways[0].lines[1].contains("finetuned=http://127.0.0.1:8001/v1,finetuned"))
      #expect(RegularFile.isThere(out.appending(path: "adapter/adapter_config.json")))
    }
  }

  @Test(
    "what is served is weights, configurations and tokenizers, and the pair itself is never written over"
  )
  func copied() throws {
    try Fixtures.withTemporaryFolder { folder in
      let pair = folder.appending(path: "pair"), out = folder.appending(path: "out")
      try Self.write(["<bos>", "cat"])(pair)
      let base = pair.appending(path: "base")
      try Data("secret".utf8).write(to: base.appending(path: ".env"))
      try Data("optimizer".utf8).write(to: base.appending(path: "optimizer.pt"))
      try FileManager.default.createSymbolicLink(
        at: folder.appending(path: "link"), withDestinationURL: pair)
      for place in [pair, base, pair.appending(path: "new"), folder.appending(path: "link")] {
        #expect(throws: FileError.self, "\(place.path)") {
          try ServablePair(base: pair, finetuned: nil, to: place)
        }
      }
      _ = try ServablePair(base: pair, finetuned: nil, to: out)
      let names = try FileManager.default.contentsOfDirectory(
        atPath: out.appending(path: "base").path)
      #expect(
        names.sorted() == [
          "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        ])
    }
  }
}
