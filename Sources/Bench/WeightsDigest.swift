internal import Files
package import Transformers

extension LanguageModel {
  /// The digest of the weights.
  package var weightsDigest: String {
    var hash = ContentHash()
    for name in parameters.layout.names { hash.mix(parameters.bytes(name)) }
    return hash.text
  }
}
