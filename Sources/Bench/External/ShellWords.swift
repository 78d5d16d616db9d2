internal import Foundation

/// The words of a command, as far as they can be told without a shell.
enum ShellWords {
  /// Words as quotes, blanks and the shell's own signs part them, quotes taken off.
  static func all(of command: String) -> [String] {
    var words: [String] = [], word = "", quote: Character?
    for character in command {
      if let open = quote {
        if character == open { quote = nil } else { word.append(character) }
      } else if character == "'" || character == "\"" {
        quote = character
      } else if character.isWhitespace || ";|&()<>=`".contains(character) {
        words.append(word)
        word = ""
      } else {
        word.append(character)
      }
    }
    return (words + [word]).filter { !$0.isEmpty }
  }

  /// The file that a word names: by its path, from this folder, this home or a place of PATH.
  static func file(_ word: String) -> URL? {
    let environment = ProcessInfo.processInfo.environment
    let path = word.replacing("$PWD", with: FileManager.default.currentDirectoryPath)
      .replacing("$HOME", with: environment["HOME"] ?? "")
    let expanded = (path as NSString).expandingTildeInPath
    let folders = path.contains("/") ? [] : (environment["PATH"] ?? "").split(separator: ":")
    return ([expanded] + folders.map { "\($0)/\(path)" }).lazy.map {
      URL(filePath: $0).resolvingSymlinksInPath()
    }.first {
      (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true
    }
  }
}
