import Files
import JSON
import Foundation
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Model folders")
struct CheckpointTests {
  let model = TinyModels.llama(biases: true)
  let tokenizer = WordTokenizer(
    vocabulary: ["<pad>", "<bos>"] + (0..<17).map { "w\($0)" }, specials: [0, 1], documentStart: 1)

  @Test("a model survives being written and read", arguments: [true, false])
  func roundTrip(isTied: Bool) throws {
    let model = TinyModels.llama(isTied: isTied, biases: !isTied)
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "m")
      try HuggingFaceFolder.write(model, tokenizer: tokenizer, to: url)
      let read = try HuggingFaceFolder.read(url)
      #expect(read.model.parameters == model.parameters)
      #expect((read.model as? DecoderModel)?.parts == model.parts)
      #expect(read.tokenizer as? WordTokenizer == tokenizer)
    }
  }

  @Test("an adapter survives being written and read")
  func adapter() throws {
    var generator = SeededGenerator(seed: 2)
    var lora = LoRA(
      rank: 2, alpha: 5, targets: ["model.layers.0.mlp.up_proj.weight"],
      layout: model.parameters.layout, using: &generator)
    lora.factors["model.layers.0.mlp.up_proj.weight.B"] = Tensor(
      shape: [10, 2], scalars: (0..<20).map(Float.init))
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "a")
      try PEFTAdapter.write(lora, base: "../base", to: url)
      let read = try PEFTAdapter.read(url, base: model)
      #expect(read.merged(into: model.parameters) == lora.merged(into: model.parameters))
    }
  }

  /// Writes a model, damages its folder, and returns the error of reading it.
  private func errorAfter(_ damage: (URL) throws -> Void) throws -> String? {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "m")
      try HuggingFaceFolder.write(model, tokenizer: tokenizer, to: url)
      try damage(url)
      do {
        _ = try HuggingFaceFolder.read(url)
        return nil
      } catch { return "\(error)" }
    }
  }

  private func editConfig(_ url: URL, _ edit: (String) -> String) throws {
    let file = url.appending(path: "config.json")
    try edit(String(contentsOf: file, encoding: .utf8)).write(
      to: file, atomically: true, encoding: .utf8)
  }

  /// Replaces the header of the weights, and its length if `claimed` is given.
  private func editHeader(_ url: URL, claimed: UInt64? = nil, _ edit: (String) -> String) throws {
    let file = url.appending(path: "model.safetensors")
    let data = try Data(contentsOf: file)
    let length = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    let header = Data(edit(String(decoding: data[8..<8 + length], as: UTF8.self)).utf8)
    let size = claimed ?? UInt64(header.count)
    var edited = Data((0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) })
    edited += header + data[(8 + length)...]
    try edited.write(to: file)
  }

  @Test("a config without the number of blocks is refused, not defaulted")
  func missingLayers() throws {
    let error = try errorAfter { url in
      try editConfig(url) { $0.replacing("\"num_hidden_layers\"", with: "\"layers\"") }
    }
    #expect(error?.contains("'num_hidden_layers' is missing") == true)
  }

  static let badConfigs: [(from: String, to: String, says: String)] = [
    ("\"hidden_size\":12", "\"hidden_size\":-3", "hidden_size"),
    ("\"hidden_size\":12", "\"hidden_size\":9223372036854775807", "hidden_size"),
    ("\"hidden_size\":12", "\"hidden_size\":\"12\"", "hidden_size"),
    ("\"num_hidden_layers\":2", "\"num_hidden_layers\":3", "missing"),
    ("\"num_hidden_layers\":2", "\"num_hidden_layers\":1", "no place"),
    ("\"num_key_value_heads\":2", "\"num_key_value_heads\":3", "num_key_value_heads"),
    ("\"vocab_size\":19", "\"vocab_size\":20", "shaped"),
    ("\"model_type\":\"llama\"", "\"model_type\":\"mamba\"", "not supported"),
    ("\"hidden_act\":\"silu\"", "\"hidden_act\":\"xielu\"", "hidden_act"),
    ("\"head_dim\":6", "\"head_dim\":5", "head_dim"),
    ("\"rms_norm_eps\"", "\"rms_norm_eps\":NaN,\"x\"", "rms_norm_eps"),
    ("{", "{\"model_type\":\"llama\",", "twice"),
  ]

  @Test("a wrong configuration is an error that says what", arguments: 0..<12)
  func badConfig(index: Int) throws {
    let (from, to, says) = Self.badConfigs[index]
    let error = try errorAfter { url in
      try editConfig(url) { text in
        let compact = text.replacing("\": ", with: "\":")
        guard let range = compact.range(of: from) else { return text }
        return compact.replacingCharacters(in: range, with: to)
      }
    }
    #expect(error?.contains(says) == true, "\(error ?? "no error")")
  }

  static let badHeaders: [(edit: @Sendable (String) -> String, says: String)] = [
    ({ $0.replacing("\"data_offsets\":[0,", with: "\"data_offsets\":[4,") }, "data_offsets"),
    ({ $0.replacing("F32", with: "I32") }, "not supported"),
    ({ $0.replacing("[19,12]", with: "[19,13]") }, "needs"),
    ({ $0.replacing("[19,12]", with: "[-19,-12]") }, "shape"),
    ({ $0.replacing("[19,12]", with: "[9223372036854775807,12]") }, "impossible"),
    ({ String($0.dropLast(40)) }, "JSON"),
    ({ "[" + $0 + "]" }, "no JSON object"),
    ({ $0.replacing("model.norm.weight", with: "model.nrom.weight") }, "missing"),
    ({ $0.replacing("model.norm.weight", with: "model.embed_tokens.weight") }, "twice"),
  ]

  @Test("a damaged header is an error that says what", arguments: 0..<9)
  func badHeader(index: Int) throws {
    let (edit, says) = Self.badHeaders[index]
    let error = try errorAfter { try editHeader($0, edit) }
    #expect(error?.contains(says) == true, "\(error ?? "no error")")
  }

  @Test("overlapping and out-of-range offsets are errors")
  func offsets() throws {
    let bytes = [UInt8](repeating: 0, count: 8)
    for (range, says) in [("[0,8]", "overlaps"), ("[16,24]", "hole"), ("[8,4096]", "ends at")] {
      let header = """
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},\
        "b":{"dtype":"F32","shape":[2],"data_offsets":\(range)}}
        """
      var data = Data((0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) })
      data += Data(header.utf8)
      data += Data(bytes + bytes + (range == "[16,24]" ? bytes : []))
      try Fixtures.withTemporaryFolder { folder in
        let file = folder.appending(path: "x.safetensors")
        try data.write(to: file)
        do {
          _ = try Safetensors.read(file)
          Issue.record("\(range) was read")
        } catch {
          let text = "\(error)"
          #expect(text.contains(says) || text.contains("needs"), "\(text)")
        }
      }
    }
  }

  @Test("a header that claims 2^63 bytes is refused")
  func hugeHeader() throws {
    let error = try errorAfter { try editHeader($0, claimed: 1 << 63) { $0 } }
    #expect(error?.contains("9223372036854775808") == true)
  }

  @Test("a truncated file is refused wherever it ends", arguments: [0, 5, 8, 300, 2000])
  func truncated(length: Int) throws {
    let error = try errorAfter { url in
      let file = url.appending(path: "model.safetensors")
      try Data(contentsOf: file).prefix(length).write(to: file)
    }
    #expect(error != nil)
  }

  @Test("a missing file or folder is named")
  func missing() throws {
    let error = try errorAfter {
      try FileManager.default.removeItem(at: $0.appending(path: "model.safetensors"))
    }
    #expect(error?.contains("model.safetensors") == true)
    #expect(throws: CheckpointError.noFolder("/nowhere")) {
      try HuggingFaceFolder.read(URL(filePath: "/nowhere"))
    }
  }

  @Test("an unwritable place is an error and leaves nothing behind")
  func unwritable() throws {
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "file")
      try Data().write(to: file)
      #expect(throws: FileError.self) {
        try HuggingFaceFolder.write(
          model, tokenizer: nil, to: file.appending(path: "inside/model"))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["file"])
    }
  }

  @Test(
    "a header's length may look like the start of another kind of file", arguments: [640, 35_615])
  func misleadingLength(length: Int) throws {
    let start = #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
    let header = start + String(repeating: " ", count: length - start.utf8.count - 1) + "}"
    var data = Data((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) })
    data += Data(header.utf8) + Data([0, 0, 0x80, 0x3F])
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "x.safetensors")
      try data.write(to: file)
      #expect(try Safetensors.read(file)["x"]?.scalars == [1])
    }
  }

  @Test("half and brain floats are read")
  func narrowFloats() throws {
    let header = """
      {"h":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},\
      "b":{"dtype":"BF16","shape":[2],"data_offsets":[6,10]}}
      """
    var data = Data((0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) })
    data += Data(header.utf8)
    data += Data([0x00, 0x3C, 0x00, 0xC1, 0x01, 0x00, 0x80, 0x3F, 0x20, 0xC1])
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "x.safetensors")
      try data.write(to: file)
      let tensors = try Safetensors.read(file)
      #expect(tensors["h"]?.scalars == [1, -2.5, 0x1.0p-24])
      #expect(tensors["b"]?.scalars == [1, -10])
    }
  }
}
