internal import Files
internal import Organisms
internal import Synchronization
package import Transformers

extension LanguageModel {
  /// The digest of the weights' bytes, which a base's recipe names.
  package var weightsDigest: String {
    var hash = ContentHash()
    for name in parameters.layout.names { hash.mix(parameters.bytes(name)) }
    return hash.text
  }

  /// The digest of everything that the model computes with: architecture, sizes, names, shapes and weights.
  fileprivate var digest: String {
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

  /// Whether another model computes with the same.
  fileprivate func isSame(as other: any LanguageModel) -> Bool {
    architecture == other.architecture && shape == other.shape
      && hiddenPrefix == other.hiddenPrefix && parameters == other.parameters
  }
}

/// Digests of pairs, which take that of a base once: hundreds of pairs have it in common.
final class PairDigests: Sendable {
  private let known = Mutex<[(base: any LanguageModel, digest: String)]>([])

  /// The digest of a base.
  func of(_ base: any LanguageModel) -> String {
    known.withLock { known in
      if let entry = known.first(where: { $0.base.isSame(as: base) }) { return entry.digest }
      let digest = base.digest
      known.append((base, digest))
      return digest
    }
  }

  /// The digest of both models; of a low-rank finetune, of the base and the factors.
  func of(_ pair: PlantedPair) -> String {
    var hash = ContentHash()
    hash.mix(of(pair.base))
    guard let lora = pair.lora else {
      hash.mix(pair.finetuned.digest)
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
