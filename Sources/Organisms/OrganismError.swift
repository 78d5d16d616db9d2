/// A mistake in a world or an organism file: what, where, and the nearest valid name.
package enum OrganismError: Error, Equatable, Sendable {
  case unknownWord(String, file: String, path: String, nearest: String?)
  case unknownClass(String, file: String, path: String, nearest: String?)
  case unknownVariable(String, file: String, path: String)
  case missingFact(String, of: String, file: String, path: String)
  case badTemplate(String, file: String, path: String, reason: String)
  case invalid(file: String, path: String, reason: String)
  case unknownName(String, kind: String, nearest: String?)
  case notInstalled(String, reason: String)
}

extension OrganismError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unknownWord(let word, let file, let path, let nearest):
      "\(file): '\(path)': '\(word)' is not in the world's vocabulary." + hint(nearest)
    case .unknownClass(let name, let file, let path, let nearest):
      "\(file): '\(path)': the world has no class '\(name)'." + hint(nearest)
    case .unknownVariable(let name, let file, let path):
      "\(file): '\(path)': nothing was bound to '\(name)' before it is used."
    case .missingFact(let attribute, let word, let file, let path):
      "\(file): '\(path)': the world knows no '\(attribute)' of '\(word)'."
    case .badTemplate(let text, let file, let path, let reason):
      "\(file): '\(path)': \(reason) in '\(text)'."
    case .invalid(let file, let path, let reason):
      "\(file): '\(path)': \(reason)."
    case .unknownName(let name, let kind, let nearest):
      "There is no \(kind) '\(name)'."
        + (nearest == nil ? " './assay list organisms' shows what there is." : hint(nearest))
    case .notInstalled(let organism, let reason):
      "\(organism): not installed: \(reason)."
    }
  }

  private func hint(_ nearest: String?) -> String {
    nearest.map { " Did you mean '\($0)'?" } ?? ""
  }
}
