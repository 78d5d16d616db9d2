package import Diffing
internal import Files
internal import Foundation
internal import JSON
internal import Methods

/// Somebody's program that compares two models: it is given their folders and prompts, and writes evidence.
///
/// A command with places to fill, `{base}`, `{finetuned}`, `{prompts}`, `{out}` and `{seed}`, is started for each pair. One without
/// any stays up and reads requests, a line of JSON each, from its standard input.
package struct ExternalMethod: Sendable {
  package let card: MethodCard
  /// For the shell.
  package let command: String
  /// The digest of the command and of the files that it names.
  let contents: String

  /// What is wrong with a definition, and what to write instead.
  package struct Fault: Error, CustomStringConvertible {
    package let description: String
  }

  /// A place of a command that is filled for each pair.
  enum Place: String, CaseIterable {
    case base, finetuned, prompts, out, seed

    var text: String { "{\(rawValue)}" }
  }

  /// Whether it is started once and answers many requests.
  var staysUp: Bool { !Place.allCases.contains { command.contains($0.text) } }

  /// Reads `NAME=COMMAND` or `NAME@LEVEL,LEVEL=COMMAND`; without levels it is given the pool.
  ///
  /// - Parameters:
  ///   - definition: That.
  ///   - files: What else it depends on, by path.
  /// - Throws: `Fault`.
  package init(_ definition: String, files: [String] = []) throws {
    guard let sign = definition.firstIndex(of: "=") else {
      throw Fault(
        description:
          "'\(definition)' has no '='. Write NAME='command {base} {finetuned} {prompts} {out}'.")
    }
    let head = definition[..<sign].split(
      separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let id = String(head[0])
    command = definition[definition.index(after: sign)...].trimmingCharacters(in: .whitespaces)
    try Self.check(id, command)
    card = MethodCard(
      id: id, summary: command, source: "a program of the user's", questions: Question.allCases,
      access: try head.count > 1 ? Self.levels(head[1], of: id) : [.pool])
    contents = try Self.digest(of: command, files)
  }

  private static func check(_ id: String, _ command: String) throws {
    guard id.wholeMatch(of: /[a-z][a-z0-9]*(-[a-z0-9]+)*/) != nil else {
      throw Fault(
        description: "'\(id)' is no name for a method. Use lower-case words with '-' between them.")
    }
    guard !Methods.all.contains(where: { $0.card.id == id }), !MethodAtAccess(id, .pool).isDummy
    else {
      throw Fault(
        description: "'\(id)' is a method or a dummy of Assay's own. Choose another name.")
    }
    guard !command.isEmpty else { throw Fault(description: "\(id): the command is empty.") }
    try checkPlaces(of: command, id)
  }

  private static func checkPlaces(of command: String, _ id: String) throws {
    let names = Place.allCases.map(\.rawValue)
    for match in command.matches(of: /\{([A-Za-z]+)\}/) where !names.contains(String(match.1)) {
      guard let near = nearest(to: match.1.lowercased(), among: names) else { continue }
      throw Fault(
        description: "\(id): the command has no place '\(match.0)'. Did you mean '{\(near)}'?")
    }
    let places = Place.allCases.filter { command.contains($0.text) }
    guard places.isEmpty || places.contains(.out) else {
      throw Fault(
        description:
          "\(id): the command names \(places[0].text) but not {out}, where it writes its evidence. One that names "
          + "no place stays up and reads requests from its standard input.")
    }
  }

  private static func levels(_ names: Substring, of id: String) throws -> [AccessLevel] {
    let levels = try names.split(separator: ",", omittingEmptySubsequences: false).map { name in
      guard let level = AccessLevel(rawValue: String(name)) else {
        let all = AccessLevel.allCases.map(\.rawValue).joined(separator: ", ")
        throw Fault(description: "\(id): '\(name)' is no level of access. They are \(all).")
      }
      return level
    }
    guard Set(levels).count == levels.count else {
      throw Fault(description: "\(id): a level of access is named twice.")
    }
    return levels
  }

  /// What a change of which makes what was kept another program's: the command, the files that it names, and others.
  private static func digest(of command: String, _ files: [String]) throws -> String {
    var hash = ContentHash()
    hash.mix(command)
    for word in ShellWords.all(of: command) {
      guard let data = ShellWords.file(word).flatMap({ try? Data(contentsOf: $0) }) else {
        continue
      }
      hash.mix(data)
    }
    for path in files {
      guard let data = try? Data(contentsOf: URL(filePath: path)) else {
        throw Fault(description: "\(path): cannot be read.")
      }
      hash.mix(data)
    }
    return hash.text
  }
}
