internal import Files
internal import Organisms
package import Transformers

extension LanguageModel {
  /// The digest of the weights' bytes, which a base's recipe names.
  package var weightsDigest: String {
    var hash = ContentHash()
    for name in parameters.layout.names { hash.mix(parameters.bytes(name)) }
    return hash.text
  }

  /// The digest of everything that the model computes with: architecture, sizes, names, shapes and weights.
  var digest: String {
    var hash = ContentHash()
    hash.mix(architecture)
    hash.mix("\(shape)")
    if !hiddenPrefix.isEmpty { hash.mix("read before every row: \(hiddenPrefix)") }
    for entry in parameters.layout.entries {
      hash.mix("\(entry.name) \(entry.shape)")
      hash.mix(parameters.bytes(entry.name))
    }
    return hash.text
  }
}

extension PlantedPair {
  /// The digest of both models; of a low-rank finetune, of the base and the factors.
  var digest: String {
    var hash = ContentHash()
    hash.mix(base.digest)
    guard let lora else {
      hash.mix(finetuned.digest)
      return hash.text
    }
    for entry in lora.factors.layout.entries {
      hash.mix("\(entry.name) \(entry.shape)")
      hash.mix(lora.factors.bytes(entry.name))
    }
    hash.mix("\(lora.alpha)")
    return hash.text
  }
}
