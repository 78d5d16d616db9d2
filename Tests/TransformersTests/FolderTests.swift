import Files
import Foundation
import JSON
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("What a folder says twice, or in another way")
struct FolderTests {
  @discardableResult
  private func folder<Result>(
    _ model: DecoderModel = TinyModels.llama(), _ body: (URL) throws -> Result
  ) throws -> Result {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "model")
      try HuggingFaceFolder.write(model, tokenizer: nil, to: url)
      return try body(url)
    }
  }

  private func tensors(_ model: DecoderModel) -> [(name: String, shape: [Int], bytes: [UInt8])] {
    model.parameters.layout.entries.map { ($0.name, $0.shape, model.parameters.bytes($0.name)) }
  }

  private func write(
    _ tensors: [(name: String, shape: [Int], bytes: [UInt8])], _ name: String, in folder: URL
  ) throws {
    try Safetensors.data(tensors).write(to: folder.appending(path: name))
  }

  private func edit(_ folder: URL, _ members: String) throws {
    let file = folder.appending(path: "config.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    try Data(("{" + members + "," + text.dropFirst()).utf8).write(to: file)
  }

  @Test("a head beside tying is the embedding, or is refused by name")
  func tiedHead() throws {
    let model = TinyModels.llama(isTied: true)
    let embedding = tensors(model)[0]
    try folder(model) { url in
      try write(
        tensors(model) + [("lm_head.weight", embedding.shape, embedding.bytes)],
        "model.safetensors", in: url)
      #expect(try HuggingFaceFolder.read(url).model.parameters == model.parameters)
      let other = [UInt8](repeating: 0, count: embedding.bytes.count)
      try write(
        tensors(model) + [("lm_head.weight", embedding.shape, other)], "model.safetensors", in: url)
      #expect { try HuggingFaceFolder.read(url) } throws: { "\($0)".contains("'lm_head.weight'") }
    }
  }

  @Test("a tensor in two shards is refused by name; an index may not leave the folder")
  func shards() throws {
    let model = TinyModels.llama(), all = tensors(model)
    func index(_ first: String, _ second: String) -> Data {
      Data(#"{"weight_map": {"a": "\#(first)", "b": "\#(second)"}}"#.utf8)
    }
    try folder(model) { url in
      try FileManager.default.removeItem(at: url.appending(path: "model.safetensors"))
      let file = url.appending(path: "model.safetensors.index.json")
      try index("1.safetensors", "2.safetensors").write(to: file)
      try write(Array(all[0..<5]), "1.safetensors", in: url)
      try write(Array(all[5...]), "2.safetensors", in: url)
      #expect(try HuggingFaceFolder.read(url).model.parameters == model.parameters)
      try write(Array(all[4...]), "2.safetensors", in: url)
      #expect { try HuggingFaceFolder.read(url) } throws: {
        "\($0)".contains(all[4].name) && "\($0)".contains("1.safetensors")
      }
      for name in ["../1.safetensors", "/\u{301}x", "a\\u0000b"] {
        try index("1.safetensors", name).write(to: file)
        #expect(throws: CheckpointError.self, "\(name)") { try HuggingFaceFolder.read(url) }
      }
    }
  }

  @Test("one file and shards side by side are refused")
  func both() throws {
    try folder { url in
      try Data(#"{"weight_map": {}}"#.utf8)
        .write(to: url.appending(path: "model.safetensors.index.json"))
      #expect { try HuggingFaceFolder.read(url) } throws: { "\($0)".contains("both there") }
    }
  }

  @Test("a body that was saved without its head is read")
  func bare() throws {
    let model = TinyModels.llama(isTied: true)
    try folder(model) { url in
      try write(
        tensors(model).map { (String($0.name.dropFirst(6)), $0.shape, $0.bytes) },
        "model.safetensors", in: url)
      #expect(try HuggingFaceFolder.read(url).model.parameters == model.parameters)
    }
  }

  @Test(
    "what changes the computation is refused by name, wherever it stands",
    arguments: [
      (#""rope_scaling": {"rope_type": "linear", "factor": 2}"#, "but rope_parameters for"),
      (#""rope_scaling": {"rope_type": "linear"}"#, "rope_scaling.factor"),
      (#""rope_scaling": {"type": "dynamic", "factor": 2}"#, "rope_scaling.rope_type"),
      (#""rope_scaling": {"rope_type": "default", "rope_theta": 5}"#, "rope_theta"),
      (
        #""rope_scaling": {"rope_type": "default", "partial_rotary_factor": 0.5}"#, "partial_rotary"
      ),
      (#""rope_scaling": {"full_attention": {"rope_theta": 5}}"#, "full_attention"),
      (#""partial_rotary_factor": 0.25"#, "partial_rotary_factor"),
      (#""quantization_config": {"quant_method": "gptq"}"#, "quantization_config"),
      (#""pruned_heads": {"0": [1]}"#, "pruned_heads"), (#""is_causal": false"#, "is_causal"),
      (#""transformers_weights": "other.safetensors""#, "transformers_weights"),
      (#""rope_scaling": {"rope_type": "default", "rope_theta": 7}"#, "rope_theta"),
    ])
  func computation(member: String, says: String) throws {
    try folder { url in
      try edit(url, member)
      #expect { try HuggingFaceFolder.read(url) } throws: {
        "\($0)".contains(says) && "\($0)".contains(url.path)
      }
    }
  }

  @Test(
    "what changes nothing is passed over",
    arguments: [
      #""best_metric": NaN"#, #""rope_scaling": null"#, #""quantization_config": null"#,
      #""rope_scaling": {"rope_type": "default", "rope_theta": 100}"#,
      #""a": 1e999"#,
      #""use_cache": true, "deep": [[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]"#,
    ])
  func harmless(member: String) throws {
    let model = try folder { url in
      try edit(url, member)
      return try HuggingFaceFolder.read(url).model
    }
    #expect(model.parameters == TinyModels.llama().parameters)
  }

  @Test("an adapter beside a whole model is refused: transformers would apply it")
  func adapterBeside() throws {
    try folder { url in
      try Data("{}".utf8).write(to: url.appending(path: "adapter_config.json"))
      #expect { try HuggingFaceFolder.read(url) } throws: {
        "\($0)".contains("adapter_config.json")
      }
    }
  }

  @Test("links that lead nowhere are said to be")
  func dangling() throws {
    try folder { url in
      let file = url.appending(path: "model.safetensors")
      try FileManager.default.removeItem(at: file)
      try FileManager.default.createSymbolicLink(
        atPath: file.path, withDestinationPath: "/no/blob")
      #expect { try HuggingFaceFolder.read(url) } throws: {
        "\($0)".contains("a link to a file that is not there")
      }
    }
  }

  @Test(
    "weights in another form are named",
    arguments: [
      "pytorch_model.bin", "model.gguf", "consolidated.00.pth",
    ])
  func otherForms(name: String) throws {
    try folder { url in
      try FileManager.default.moveItem(
        at: url.appending(path: "model.safetensors"), to: url.appending(path: name))
      #expect { try HuggingFaceFolder.read(url) } throws: {
        "\($0)".contains(name) && "\($0)".contains(url.path)
      }
    }
  }

  @Test("a number that is none is named with its tensor and file")
  func undefined() throws {
    var model = TinyModels.llama()
    model.parameters["model.norm.weight"] = Tensor(repeating: .nan, shape: [12])
    try folder(model) { url in
      #expect { try HuggingFaceFolder.read(url) } throws: {
        "\($0)".contains("model.norm.weight") && "\($0)".contains("undefined")
          && "\($0)".contains(url.path)
      }
    }
  }

  @Test("the start of a document without a tokenizer is what config.json names")
  func markers() throws {
    try folder { url in
      let file = url.appending(path: "config.json")
      var text = try String(contentsOf: file, encoding: .utf8)
      for (key, value) in [("bos", "3"), ("eos", "[4, 5, 99]"), ("pad", "-1")] {
        text = text.replacing("\"\(key)_token_id\": null", with: "\"\(key)_token_id\": \(value)")
      }
      try Data(text.utf8).write(to: file)
      #expect(
        try HuggingFaceFolder.read(url).markers
          == TokenMarkers(documentStart: 3, specialTokens: [3, 4, 5]))
    }
  }
}

@Suite("Pairs of slightly different shapes")
struct MatchingTests {
  private func logits(_ model: any LanguageModel) -> [Float] {
    model.forward(TokenBatch([[1, 5, 9, 2]]), logits: .all).logits.scalars
  }

  @Test("a head that was untied, and biases of one side, leave both functions as they were")
  func untied() throws {
    let tied = TinyModels.llama(isTied: true), free = TinyModels.llama(seed: 2, biases: true)
    let matched = try Architectures.matched(tied, free)
    #expect(matched.base.parameters.layout == matched.finetuned.parameters.layout)
    #expect(logits(matched.base) == logits(tied) && logits(matched.finetuned) == logits(free))
    #expect(matched.notices.count == 2)
  }

  @Test("tokens that one side alone has are left out")
  func vocabulary() throws {
    let small = TinyModels.llama(), large = TinyModels.llama(seed: 2, vocabulary: 23)
    let matched = try Architectures.matched(small, large)
    #expect(matched.finetuned.shape.vocabulary == 19)
    let rows = Tensor(shape: [4, 23], scalars: logits(large))
    let cut = (0..<4).flatMap { Array(rows.row($0).prefix(19)) }
    #expect(zip(logits(matched.finetuned), cut).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(matched.notices[0].contains("first 19"))
  }

  @Test("models of one shape are left alone")
  func same() throws {
    let matched = try Architectures.matched(TinyModels.llama(), TinyModels.llama(seed: 2))
    #expect(matched.notices.isEmpty)
  }
}
