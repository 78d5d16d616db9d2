internal import JSON

/// A mistake in a model folder, with the file where it is and what to do.
public enum CheckpointError: Error, Equatable, Sendable {
  case noFolder(String)
  case missingFile(String, folder: String)
  /// There are weights, in a form that is not read.
  case otherWeights(String, folder: String)
  /// Two things that say the same differently.
  case ambiguousFolder(String, reason: String)
  case unreadable(file: String, reason: String)
  case truncated(file: String, expected: Int, found: Int)
  case badHeader(file: String, reason: String)
  case badTensor(String, file: String, reason: String)
  case missingTensor(String, file: String, advice: String? = nil)
  case unexpectedTensor(String, file: String)
  case wrongShape(String, file: String, expected: [Int], found: [Int])
  case unsupportedArchitecture(String, file: String, supported: [String])
  case badConfiguration(key: String, file: String, reason: String)
  case badTokenizer(file: String, reason: String)
  case badAdapter(file: String, reason: String)
}

extension CheckpointError {
  /// Whether it concerns the model alone, so that weights can still be compared as they are stored.
  package var leavesWeights: Bool {
    switch self {
    case .unsupportedArchitecture, .missingFile("config.json", _): true
    default: false
    }
  }
}

extension CheckpointError: CustomStringConvertible {
  /// What it is, in words.
  public var description: String { Printable.line(text) }

  private var text: String {
    switch self {
    case .noFolder(let folder):
      "\(folder): there is no such folder, or it is none. A model is a folder with config.json and model.safetensors."
    case .missingFile(let file, let folder):
      "\(folder): '\(file)' is missing. A model is a folder with config.json and model.safetensors."
    case .otherWeights(let file, let folder):
      "\(folder): 'model.safetensors' is missing; there is '\(file)', which Assay does not read. "
        + "Save the model with transformers' save_pretrained, which writes safetensors."
    case .ambiguousFolder(let folder, let reason):
      "\(folder): \(reason). Remove one of them."
    case .unreadable(let file, let reason):
      "\(file): cannot be read: \(reason)."
    case .truncated(let file, let expected, let found):
      "\(file): truncated: \(expected) bytes are needed, \(found) are there. Copy the file again."
    case .badHeader(let file, let reason):
      "\(file): not a safetensors file: \(reason)."
    case .badTensor(let name, let file, let reason):
      "\(file): tensor '\(name)': \(reason)."
    case .missingTensor(let name, let file, let advice):
      "\(file): tensor '\(name)' is missing, but config.json asks for it."
        + (advice.map { " \($0)" } ?? "")
    case .unexpectedTensor(let name, let file):
      "\(file): tensor '\(name)' has no place in the model that config.json describes."
    case .wrongShape(let name, let file, let expected, let found):
      "\(file): tensor '\(name)' is shaped \(found), but config.json asks for \(expected)."
    case .unsupportedArchitecture(let name, let file, let supported):
      "\(file): architecture '\(name)' is not supported. Supported: "
        + supported.joined(separator: ", ") + "."
    case .badConfiguration(let key, let file, let reason):
      "\(file): '\(key)' \(reason)."
    case .badTokenizer(let file, let reason):
      "\(file): \(reason)."
    case .badAdapter(let file, let reason):
      "\(file): \(reason)."
    }
  }
}
