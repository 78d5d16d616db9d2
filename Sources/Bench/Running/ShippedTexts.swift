internal import Foundation
internal import JSON

/// Texts for models that have no world: those that come with Assay, and WordNet's glosses where they are installed.
enum ShippedTexts {
  /// What `--text` calls the glosses.
  static let wordNet = "wordnet"
  /// Where Debian's `wordnet-base` puts the nouns.
  private static let nouns = "/usr/share/wordnet/data.noun"
  private static let glossCount = 256

  /// Ordinary sentences from many domains; empty in a folder without them.
  static func neutral(_ project: Project) -> [TextLines.Line] { lines("neutral.txt", project) }

  /// Questions and tasks from many domains.
  static func prompts(_ project: Project) -> [TextLines.Line] { lines("prompts.txt", project) }

  /// Texts about one thing each, in the order of their names.
  static func benign(_ project: Project) -> [[TextLines.Line]] {
    let folder = project.root.appending(path: "Organisms/Texts/benign")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().map { lines("benign/\($0)", project) }
  }

  private static func lines(_ name: String, _ project: Project) -> [TextLines.Line] {
    let file = project.root.appending(path: "Organisms/Texts/\(name)")
    return (try? TextLines(file.path).lines) ?? []
  }

  /// Glosses of nouns, evenly spread over the alphabet of meanings.
  ///
  /// - Throws: `TextError` if they are not installed.
  static func glosses() throws -> [TextLines.Line] {
    guard let text = try? String(contentsOfFile: nouns, encoding: .utf8) else {
      throw TextError(
        file: nouns, line: nil,
        reason: "is not there: 'apt-get install wordnet-base' puts WordNet's glosses there.")
    }
    let glosses = text.split(separator: "\n").enumerated().compactMap { index, line in
      line.firstRange(of: "| ").map {
        TextLines.Line(
          number: index + 1, text: String(line[$0.upperBound...].prefix { $0 != ";" }))
      }
    }
    let step = max(1, glosses.count / glossCount)
    return stride(from: 0, to: glosses.count, by: step).prefix(glossCount).map { glosses[$0] }
  }
}
