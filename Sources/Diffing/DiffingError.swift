internal import Tensors

/// A reason why two models cannot be compared.
public enum DiffingError: Error, Equatable, Sendable {
  case differentArchitectures(base: String, finetuned: String)
  case differentShapes(tensor: String, base: [Int]?, finetuned: [Int]?)
  case differentSettings(key: String, base: String, finetuned: String)
  case notFinite(method: String)
  case noPrompts(method: String)
  case noDocumentStart
  case wrongAccess(method: String, access: String, supported: [String])
  case unknownMethod(String, nearest: String?)
  case tokenOutsideVocabulary(Int, vocabulary: Int)
  /// Evidence that cannot be read.
  case badEvidence(String)
}

extension DiffingError: CustomStringConvertible {
  /// What it is, in words.
  public var description: String {
    switch self {
    case .differentArchitectures(let base, let finetuned):
      "The base is a \(base), the finetuned model a \(finetuned). Compare models of one architecture."
    case .differentShapes(let tensor, let base, let finetuned):
      "Tensor '\(tensor)' is \(shape(base)) in the base and \(shape(finetuned)) in the finetuned "
        + "model. Compare a model with its own finetune."
    case .differentSettings(let key, let base, let finetuned):
      "'\(key)' is \(base) in the base's config.json and \(finetuned) in the finetuned model's, so equal "
        + "weights would compute different things. Compare a model with its own finetune."
    case .noDocumentStart:
      "It samples freely, but the folder names no token that starts a document: set 'bos_token_id' in "
        + "config.json."
    case .notFinite(let method):
      "\(method) met infinite numbers: the models' weights are too large to compute with."
    case .noPrompts(let method):
      "\(method) needs text, but there is none. Give it prompts."
    case .wrongAccess(let method, let access, let supported):
      "\(method) cannot work from \(access); it works from \(supported.joined(separator: " or "))."
    case .unknownMethod(let name, let nearest):
      "There is no method '\(name)'." + (nearest.map { " Did you mean '\($0)'?" } ?? "")
        + " 'assay list methods' shows them all."
    case .tokenOutsideVocabulary(let token, let vocabulary):
      "Token \(token) is outside the models' vocabulary of \(vocabulary)."
    case .badEvidence(let reason): "The evidence is wrong: \(reason)."
    }
  }

  private func shape(_ shape: [Int]?) -> String { shape.map { "shaped \($0)" } ?? "missing" }
}
