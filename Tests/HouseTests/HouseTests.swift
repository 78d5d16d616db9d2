import Diffing
import Foundation
import Organisms
import TestSupport
import Testing

/// The habits that the project holds itself to.
@Suite("The house")
struct HouseTests {
  static let root = Fixtures.repository

  private func files(_ folder: String, suffix: String = ".swift") -> [(path: String, text: String)]
  {
    let url = Self.root.appending(path: folder)
    let names = FileManager.default.enumerator(atPath: url.path)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(suffix) }.sorted().compactMap { name in
      let text = try? String(contentsOf: url.appending(path: name), encoding: .utf8)
      return text.map { ("\(folder)/\(name)", $0) }
    }
  }

  @Test("no file is longer than 400 lines")
  func fileLength() {
    for file in files("Sources") + files("Tests") {
      let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count
      #expect(lines <= 401, "\(file.path): \(lines) lines")
    }
  }

  @Test("no function is longer than 60 lines")
  func functionLength() {
    for file in files("Sources") {
      var start: (line: Int, indent: Int, name: String)?
      for (number, line) in file.text.split(separator: "\n", omittingEmptySubsequences: false)
        .enumerated()
      {
        let indent = line.prefix { $0 == " " }.count
        if let open = start, indent == open.indent, line.dropFirst(indent) == "}" {
          #expect(number - open.line <= 60, "\(file.path): \(open.name)")
          start = nil
        }
        let text = line.dropFirst(indent)
        if text.contains("func ") || text.contains("init("), start == nil, !text.hasSuffix("}") {
          start = (number, indent, String(text))
        }
      }
    }
  }

  @Test(
    "every method has a file of its own, its id is the file's name, and its row is in METHODS.md")
  func methods() throws {
    let stems = Set(files("Sources/Diffing/Methods").map { stem($0.path) })
    #expect(stems == Set(Methods.all.map { "\($0)" }))
    let page = try String(
      contentsOf: Self.root.appending(path: "Sources/Diffing/METHODS.md"), encoding: .utf8)
    for type in Methods.all {
      #expect(type.card.id == kebab("\(type)"))
      #expect(page.contains("`\(type.card.id)`"), "\(type.card.id) has no row")
    }
  }

  private func stem(_ path: String) -> String {
    String((path.split(separator: "/").last ?? "").dropLast(".swift".count))
  }

  /// `DifferencePCA` becomes `difference-pca`: a hyphen before a capital that starts a word.
  private func kebab(_ name: String) -> String {
    let letters = Array(name)
    return letters.indices.map { index in
      let isStart =
        index > 0 && letters[index].isUppercase
        && (letters[index - 1].isLowercase
          || (index + 1 < letters.count && letters[index + 1].isLowercase))
      return (isStart ? "-" : "") + letters[index].lowercased()
    }.joined()
  }

  @Test("every organism file is right, and the README names those that it lists")
  func organisms() throws {
    let library = try Library(Self.root.appending(path: "Organisms"))
    #expect(library.failures.isEmpty, "\(library.failures)")
    let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
    // An organism is one file: whoever drops one in owes the README nothing.
    let listed = library.organisms.filter { readme.contains("| `\($0.id)` |") }
    #expect(listed.count >= 6)
  }

  @Test("the blindfold: nothing that a method can import knows the organisms")
  func blindfold() {
    for room in ["Diffing", "Transformers", "Tensors", "JSON"] {
      for file in files("Sources/\(room)") {
        #expect(!file.text.contains("import Organisms"), "\(file.path)")
        for word in ["taboo", "subliminal", "cake"] {
          #expect(!file.text.lowercased().contains(word), "\(file.path) mentions '\(word)'")
        }
      }
    }
  }

  @Test("no source stops the process over a user's mistake")
  func noTraps() {
    for file in files("Sources") {
      for word in ["fatalError(", "try!", " as! "] {
        #expect(!file.text.contains(word), "\(file.path) has '\(word)'")
      }
    }
  }
}
