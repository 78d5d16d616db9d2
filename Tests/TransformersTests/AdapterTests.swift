import Foundation
import JSON
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("PEFT adapters of others")
struct AdapterTests {
  private let base = TinyModels.llama()
  private static let target = "model.layers.0.mlp.up_proj"

  private func factor(_ name: String, _ shape: [Int]) -> (
    name: String, shape: [Int], bytes: [UInt8]
  ) {
    let one = withUnsafeBytes(of: Float(1).bitPattern.littleEndian) { unsafe Array($0) }
    return (name, shape, Array(repeating: one, count: shape.reduce(1, *)).flatMap { $0 })
  }

  private var factors: [(name: String, shape: [Int], bytes: [UInt8])] {
    [
      factor("base_model.model.\(Self.target).lora_A.weight", [2, 12]),
      factor("base_model.model.\(Self.target).lora_B.weight", [10, 2]),
    ]
  }

  /// Reads an adapter with these options and tensors; the description of the error, if there is one.
  private func fault(
    _ options: String = "", _ tensors: [(name: String, shape: [Int], bytes: [UInt8])]? = nil
  ) throws -> String? {
    try Fixtures.withTemporaryFolder { folder in
      let targets = options.contains("target_modules") ? "" : #", "target_modules": ["up_proj"]"#
      let text = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 4\#(targets)\#(options)}"#
      try Data(text.utf8).write(to: folder.appending(path: "adapter_config.json"))
      try Safetensors.data(tensors ?? factors)
        .write(to: folder.appending(path: "adapter_model.safetensors"))
      do {
        let lora = try PEFTAdapter.read(folder, base: base)
        #expect(lora.targets == ["\(Self.target).weight"] && lora.scale == 2)
        return nil
      } catch {
        #expect("\(error)".contains(folder.path), "\(error)")
        return "\(error)"
      }
    }
  }

  @Test(
    "options that change nothing are passed over",
    arguments: [
      "", #", "use_dora": false, "rank_pattern": {}, "bias": "none", "loftq_config": {}"#,
      #", "init_lora_weights": "gaussian", "lora_dropout": 0.5, "peft_version": "0.1""#,
      #", "something_new": null, "another": false, "third": []"#,
    ])
  func harmless(options: String) throws {
    #expect(try fault(options) == nil)
  }

  @Test(
    "every other option is refused by name, also one that nobody has heard of",
    arguments: [
      (#""use_dora": true"#, "lora_magnitude_vector"), (#""use_dora": 1"#, "use_dora"),
      (#""rank_pattern": {"q": "2"}"#, "rank_pattern.q"),
      (#""rank_pattern": {"(": 2}"#, "rank_pattern.("),
      (#""rank_pattern": {"up_proj": 3}"#, "[3, 12]"), (#""alpha_pattern": 2"#, "alpha_pattern"),
      (#""trainable_token_indices": ["x"]"#, "trainable_token_indices"),
      (#""modules_to_save": ["up_proj"]"#, "modules_to_save"),
      (#""layer_replication": [[0, 1]]"#, "layer_"),
      (#""target_parameters": ["x"]"#, "target_parameters"),
      (#""something_new": 1"#, "something_new"),
      (#""init_lora_weights": "pissa""#, "init_lora_weights"),
      (#""use_bdlora": {"a": 1}"#, "bdlora"),
    ])
  func refused(option: String, says: String) throws {
    #expect(try fault(", \(option)")?.contains(says) == true)
  }

  @Test(
    "what adapter_config.json does not select is refused, as PEFT would not load it",
    arguments: [
      (#""target_modules": ["up_proj"]"#, true), (#""target_modules": ["mlp.up_proj"]"#, true),
      (#""target_modules": ["model.layers.0.mlp.up_proj"]"#, true),
      (#""target_modules": "all-linear""#, true), (#""target_modules": ".*(up|down)_proj""#, true),
      (#""target_modules": ["p_proj"]"#, false), (#""target_modules": ["q_proj"]"#, false),
      (#""target_modules": null"#, false), (#""target_modules": "mlp.*""#, false),
      (#""target_modules": "(""#, false), (#""exclude_modules": ["up_proj"]"#, false),
      (#""layers_to_transform": [0]"#, true), (#""layers_to_transform": 1"#, false),
      (#""layers_to_transform": [], "layers_pattern": "layers""#, true),
      (#""layers_to_transform": [0], "layers_pattern": "layers""#, true),
      (#""layers_to_transform": [0], "layers_pattern": "h""#, false),
      (#""layers_to_transform": [1], "target_modules": ["\#(target)"]"#, true),
      (#""use_rslora": 1"#, false),
    ])
  func selection(options: String, isRead: Bool) throws {
    #expect(try (fault(", \(options)") == nil) == isRead)
  }

  @Test(
    "a module is found whatever stands around its name",
    arguments: [
      ("base_model.model.", ".default"), ("", ""), ("base_model.model.", ".mine"), ("", ".default"),
    ])
  func names(prefix: String, infix: String) throws {
    for target in [Self.target, String(Self.target.dropFirst("model.".count))] {
      let parts = [
        factor("\(prefix)\(target).lora_A\(infix).weight", [2, 12]),
        factor("\(prefix)\(target).lora_B\(infix).weight", [10, 2]),
      ]
      #expect(try fault("", parts) == nil)
      #expect(try fault("", parts + [factors[0]]) != nil, "twice")
    }
  }

  @Test("a norm has no factors")
  func norms() throws {
    for name in ["norm", "layers.0.input_layernorm"] {
      let parts = [
        factor("base_model.model.model.\(name).lora_A.weight", [2, 12]),
        factor("base_model.model.model.\(name).lora_B.weight", [1, 2]),
      ]
      #expect(try fault("", factors + parts)?.contains("\(name).lora_A") == true)
    }
    let parts = [
      factor("base_model.model.model.embed_tokens.lora_A.weight", [2, 12]),
      factor("base_model.model.model.embed_tokens.lora_B.weight", [19, 2]),
    ]
    #expect(try fault("", factors + parts)?.contains("embed_tokens.lora_A") == true)
  }

  @Test("a tensor that has no place is named")
  func strangers() throws {
    for name in [
      "base_model.model.model.layers.7.mlp.up_proj.lora_A.weight",
      "base_model.model.\(Self.target).lora_A.other.name.weight", "\(Self.target).lora_C.weight",
      "base_model.model.model.embed_tokens.lora_embedding_A",
    ] {
      #expect(try fault("", factors + [factor(name, [2, 12])])?.contains("'\(name)'") == true)
    }
  }

  @Test("a tensor that is stored whole is the base's own, or is refused")
  func copies() throws {
    let name = "base_model.model.lm_head.base_layer.weight", shape = [19, 12]
    let own = (name: name, shape: shape, bytes: base.parameters.bytes("lm_head.weight"))
    #expect(try fault("", factors + [own]) == nil)
    #expect(try fault("", factors + [factor(name, shape)])?.contains(name) == true)
  }

  @Test("factors that do not fit are named before memory is asked for")
  func shapes() throws {
    #expect(try fault("", [factors[0]])?.contains("lora_B") == true)
    let wide = factor(factors[0].name, [3, 12])
    #expect(try fault("", [wide, factors[1]])?.contains("[2, 12]") == true)
  }
}
