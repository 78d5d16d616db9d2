package import Foundation
internal import JSON

/// A mistake in a world or an organism file: what, where, and the nearest valid name.
package enum DefinitionError: Error, Equatable, Sendable {
  case unknownWord(String, file: String, path: String, nearest: String?)
  case unknownClass(String, file: String, path: String, nearest: String?)
  case unknownVariable(String, file: String, path: String)
  case missingFact(String, of: String, file: String, path: String)
  case badTemplate(String, file: String, path: String, reason: String)
  case invalid(file: String, path: String, reason: String)
  case unknownName(String, kind: String, nearest: String?)
}

extension DefinitionError {
  /// The error with the line behind the file's name, where the file has the path that it mentions.
  ///
  /// - Parameter url: The file that was read.
  package func located(in url: URL) -> DefinitionError {
    func place(_ file: String, _ path: String) -> String {
      guard file == url.lastPathComponent, let line = JSON.line(of: path, in: url) else {
        return file
      }
      return "\(file):\(line)"
    }
    return switch self {
    case .unknownWord(let word, let file, let path, let nearest):
      .unknownWord(word, file: place(file, path), path: path, nearest: nearest)
    case .unknownClass(let name, let file, let path, let nearest):
      .unknownClass(name, file: place(file, path), path: path, nearest: nearest)
    case .unknownVariable(let name, let file, let path):
      .unknownVariable(name, file: place(file, path), path: path)
    case .missingFact(let attribute, let word, let file, let path):
      .missingFact(attribute, of: word, file: place(file, path), path: path)
    case .badTemplate(let text, let file, let path, let reason):
      .badTemplate(text, file: place(file, path), path: path, reason: reason)
    case .invalid(let file, let path, let reason):
      .invalid(file: place(file, path), path: path, reason: reason)
    case .unknownName: self
    }
  }
}

extension DefinitionError: CustomStringConvertible {
  package var description: String { Printable.line(text) }

  private var text: String {
    switch self {
    case .unknownWord(let word, let file, let path, let nearest):
      "\(file): '\(path)': '\(word)' is not in the world's vocabulary."
        + hint(nearest, list: "the words stand in 'assay list classes'")
    case .unknownClass(let name, let file, let path, let nearest):
      "\(file): '\(path)': the world has no class '\(name)'."
        + hint(nearest, list: "'assay list classes' shows them")
    case .unknownVariable(let name, let file, let path):
      "\(file): '\(path)': nothing was bound to '\(name)' before it is used."
    case .missingFact(let attribute, let word, let file, let path):
      "\(file): '\(path)': the world knows no '\(attribute)' of '\(word)': 'assay list facts \(word)'."
    case .badTemplate(let text, let file, let path, let reason):
      "\(file): '\(path)': \(reason) in '\(text)'."
    case .invalid(let file, let path, let reason):
      "\(file): '\(path)': \(reason)."
    case .unknownName(let name, let kind, let nearest):
      "There is no \(kind) '\(name)'." + hint(nearest, list: "'assay list' shows what there is")
    }
  }

  /// The nearest valid name, or where all of them are.
  private func hint(_ nearest: String?, list: String) -> String {
    nearest.map { " Did you mean '\($0)'?" }
      ?? " \(list.prefix(1).uppercased())\(list.dropFirst())."
  }
}
