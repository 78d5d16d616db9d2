import Diffing
import Foundation
import JSON
import Scoring
import Synchronization
import TestSupport
import Testing

@testable import Bench

/// Values that are kept under keys, and found damaged if they are.
@Suite("Kept lines")
struct KeyedLinesTests {
  private struct Note: KeyedValue, Equatable {
    let key: String
    let text: String
  }

  /// What a store said of damage.
  private final class Notices: Sendable {
    let texts = Mutex<[String]>([])
    @Sendable func add(_ text: String) { texts.withLock { $0.append(text) } }
    var all: [String] { texts.withLock { $0 } }
  }

  private func open(_ url: URL, _ notices: Notices = Notices()) throws -> KeyedLines<Note> {
    try KeyedLines(url, notice: notices.add)
  }

  @Test("values survive being written and read, the last of a key counts")
  func roundTrip() throws {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "a/notes.jsonl")
      let lines = try open(url)
      for note in [
        Note(key: "a", text: "1"), .init(key: "b", text: "2"), .init(key: "a", text: "3"),
      ] {
        try lines.append(note)
      }
      let again = try open(url)
      #expect(again.value("a") == Note(key: "a", text: "3"))
      #expect(again.value("b")?.text == "2")
      #expect(again.value("c") == nil)
    }
  }

  @Test("stores that are open at once keep each other's lines, and cut off one torn meanwhile")
  func shared() throws {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "notes.jsonl")
      let one = try open(url), other = try open(url)
      try one.append(Note(key: "a", text: "1"))
      try other.append(Note(key: "b", text: "2"))
      try (Data(contentsOf: url) + Data("{\"key\":".utf8)).write(to: url)
      try other.append(Note(key: "c", text: "3"))
      try one.append(Note(key: "d", text: "4"))
      let notices = Notices(), all = try open(url, notices)
      for (key, text) in [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")] {
        #expect(all.value(key)?.text == text)
      }
      #expect(notices.all.isEmpty)
    }
  }

  @Test("a line in which any byte changed is passed over, and said to be", arguments: 0..<40)
  func damaged(byte: Int) throws {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "notes.jsonl")
      try open(url).append(Note(key: "a", text: "1"))
      try open(url).append(Note(key: "b", text: "2"))
      var data = try Data(contentsOf: url)
      data[byte] ^= 0x02
      try data.write(to: url)
      let notices = Notices(), lines = try open(url, notices)
      #expect(lines.value("a") == nil)
      #expect(lines.value("b")?.text == "2")
      #expect(notices.all.count == 1 && notices.all[0].contains("1 of 2 lines are damaged"))
      try lines.append(Note(key: "a", text: "new"))
      #expect(try open(url).value("a")?.text == "new")
    }
  }

  @Test("a line that was torn by a kill is cut off, wherever it was torn", arguments: [1, 9, 20])
  func torn(bytes: Int) throws {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "notes.jsonl")
      try open(url).append(Note(key: "a", text: "1"))
      let whole = try Data(contentsOf: url)
      try (whole + whole.prefix(bytes)).write(to: url)
      let lines = try open(url)
      #expect(lines.value("a")?.text == "1")
      try lines.append(Note(key: "b", text: "2"))
      #expect(try String(contentsOf: url, encoding: .utf8).split(separator: "\n").count == 2)
    }
  }

  @Test("a place that cannot be written is an error")
  func unwritable() throws {
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "file")
      try Data().write(to: file)
      #expect(throws: (any Error).self) { try open(file.appending(path: "notes.jsonl")) }
    }
  }

  @Test("a trial survives being written and read, and names its cell")
  func trial() throws {
    let trial = Trial.sample(
      role: .narrow, match: PairName("dish-facts", "fresh"),
      scores: [.what: .scored(0.5, chance: 0.1, figures: [.firstRank: 3])])
    let read = try JSON.decode(
      Trial.self, from: Data(try JSON.encode(trial).utf8), file: "trials.jsonl")
    #expect(read == trial)
    #expect("\(trial.cell)" == "weight-norm@weights organism@fresh base-0")
    #expect("\(TrialSeeds(base: 1, planting: 2, method: 1))" == "base-1 planting-2")
  }

  @Test("a torn end is said, and a file that is only read is left as it is")
  func readOnly() throws {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "notes.jsonl")
      try open(url).append(Note(key: "a", text: "1"))
      try (Data(contentsOf: url) + Data("{\"key\"".utf8)).write(to: url)
      let before = try Data(contentsOf: url), notices = Notices()
      let lines = try KeyedLines<Note>(url, isReadOnly: true, notice: notices.add)
      #expect(lines.value("a")?.text == "1")
      #expect(notices.all.count == 1 && notices.all[0].contains("1 of 2 lines are damaged"))
      #expect(try Data(contentsOf: url) == before)
      let none = folder.appending(path: "none.jsonl")
      #expect(try KeyedLines<Note>(none, isReadOnly: true, notice: notices.add).value("a") == nil)
      #expect(!FileManager.default.fileExists(atPath: none.path))
    }
  }
}
