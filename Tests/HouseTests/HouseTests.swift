import Bench
import Methods
import Methods
import JSON
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
        // A protocol's function has no body: its declaration ends where the next begins.
        if start?.indent == indent, text.contains("func ") { start = nil }
        if text.contains("func ") || text.contains("init("), start == nil, !text.hasSuffix("}") {
          start = (number, indent, String(text))
        }
      }
    }
  }

  @Test(
    "every method has a file of its own, its id is the file's name, and its row is in METHODS.md")
  func methods() throws {
    let stems = Set(files("Sources/Methods/Methods").map { stem($0.path) })
    #expect(stems == Set(Methods.all.map { "\($0)" }))
    let page = try String(
      contentsOf: Self.root.appending(path: "Sources/Methods/METHODS.md"), encoding: .utf8)
    for type in Methods.all {
      #expect(type.card.id == kebab("\(type)"))
      #expect(page.contains("`\(type.card.id)`"), "\(type.card.id) has no row")
    }
  }

  @Test("a method that says whether defines its figure, in its card and on the page")
  func magnitudes() throws {
    let page = try String(
      contentsOf: Self.root.appending(path: "Sources/Methods/METHODS.md"), encoding: .utf8)
    for card in Methods.all.map({ $0.card }) {
      #expect((card.magnitude != nil) == card.questions.contains(.whether), "\(card.id)")
      guard let magnitude = card.magnitude else { continue }
      let formula = magnitude.formula.replacing("|", with: "∣")
      #expect(page.contains("| `\(card.id)` | \(formula) | \(magnitude.unit) |"), "\(card.id)")
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
    let library = try Library(Self.root.appending(path: "Organisms"), models: Fixtures.models)
    #expect(library.failures.isEmpty, "\(library.failures)")
    let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
    // An organism is one file: whoever drops one in owes the README nothing.
    for word in ["63 organisms", "32 files"] { #expect(readme.contains(word)) }
    let page = try String(
      contentsOf: Self.root.appending(path: "Organisms/README.md"), encoding: .utf8)
    let listed = library.organisms.filter { page.contains("`\($0.id)`") }
    #expect(listed.count >= 30)
  }

  /// What a method would need to look into the memory that its process started as a copy of, or to ask the system.
  private static let outside = [
    "unsafe", "Unsafe", "dlsym", "Glibc", "Musl", "Darwin", "_silgen_name", "@_cdecl",
    "FileManager", "FileHandle",
    "ProcessInfo", "CommandLine", "getenv", "Process(", "URLSession", "Thread", "DispatchQueue",
    "Date()",
  ]

  @Test("methods compute with what they are given: they name nothing of the system")
  func systemCalls() {
    for file in files("Sources/Methods") {
      for word in Self.outside {
        #expect(!file.text.contains(word), "\(file.path): \(word)")
      }
    }
  }

  @Test("the blindfold: nothing that a method can import knows the organisms")
  func blindfold() {
    for room in ["Methods", "Diffing", "Worlds", "Transformers", "Tensors", "Files", "JSON"] {
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

  // MARK: What is kept

  /// Whether a file belongs to a room, folder or file.
  private func lies(_ file: String, in part: String) -> Bool {
    file == part || file.hasPrefix("\(part)/")
  }

  @Test(
    "a method that uses what methods with dictionaries share imports them, so that its evidence depends on it"
  )
  func latents() throws {
    let folder = Self.root.appending(path: "Sources/Methods")
    func texts(_ name: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(
        at: folder.appending(path: name), includingPropertiesForKeys: nil
      ).map { try String(contentsOf: $0, encoding: .utf8) }
    }
    let declaration = /\n(?:package )?(?:struct|enum|final class) (\w+)/
    let shared = try texts("Latents").flatMap { $0.matches(of: declaration).map { String($0.1) } }
    #expect(shared.count >= 2)
    for text in try texts("Methods") where shared.contains(where: text.contains) {
      #expect(text.contains("import Dictionaries\n"), "\(text.prefix(200))")
    }
  }

  @Test("every file is hashed into what depends on it, or declared harmless, and not both")
  func hashed() {
    let hashed = Set(
      SourceDigest.planting + SourceDigest.measuring + SourceDigest.effects
        + SourceDigest.imported.values.joined()
    )
    .union([SourceDigest.methods, SourceDigest.dummies])
    let folder = Self.root.appending(path: "Sources")
    let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    let sources = (names ?? []).filter { name in
      [".swift", ".c", ".h", ".modulemap"].contains { name.hasSuffix($0) }
    }
    #expect(sources.count > 150)
    for file in sources {
      let isHashed = hashed.contains { lies(file, in: $0) }
      let isHarmless = SourceDigest.harmless.keys.contains { lies(file, in: $0) }
      #expect(isHashed != isHarmless, "\(file): add it to SourceDigest")
    }
    for part in hashed.union(SourceDigest.harmless.keys) {
      #expect(
        FileManager.default.fileExists(atPath: folder.appending(path: part).path),
        "SourceDigest names \(part), which is not there")
    }
  }

  @Test("what a method shares lies in the toolbox: no method's file names what another declares")
  func independentMethods() {
    let methods = files("Sources/Methods/Methods")
    let pattern =
      /(?m)^(?:package |internal )?(?:struct|enum|final class|class|protocol|func) (\w+)/
    for one in methods {
      let declared = one.text.matches(of: pattern).map { String($0.1) }
      #expect(!declared.isEmpty)
      for other in methods where other.path != one.path {
        let words = Set(
          other.text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
        #expect(words.isDisjoint(with: declared), "\(other.path) uses \(one.path)")
      }
    }
  }

  @Test("an architecture is named in its own folder only")
  func architectures() {
    let own = "Sources/Transformers/Architectures/"
    for file in files("Sources") where !file.path.hasPrefix(own) {
      let code = file.text.split(separator: "\n").filter {
        !$0.drop { $0 == " " }.hasPrefix("//")
      }
      for word in ["Llama", "_proj", "layernorm"] {
        #expect(!code.contains { $0.contains(word) }, "\(file.path) says '\(word)'")
      }
    }
  }
}
