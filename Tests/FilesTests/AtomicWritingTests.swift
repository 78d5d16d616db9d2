import Files
import Foundation
import TestSupport
import Testing

@Suite("Files and folders that appear whole")
struct AtomicWritingTests {
  private let files = FileManager.default

  private func names(_ folder: URL) throws -> [String] {
    try files.contentsOfDirectory(atPath: folder.path).sorted()
  }

  private struct Broken: Error {}

  @Test("a folder appears with all its files, and no lock or partial name beside or in it")
  func folder() throws {
    try Fixtures.withTemporaryFolder { place in
      let url = place.appending(path: "deep/pair")
      for text in ["one", "two"] {
        try AtomicFolder.write(to: url) {
          #expect(try names(url.deletingLastPathComponent()).count == (text == "one" ? 1 : 2))
          try AtomicFile.write(Data(text.utf8), to: $0.appending(path: text))
        }
        #expect(try names(url) == [text])
        #expect(try names(url.deletingLastPathComponent()) == ["pair"])
      }
    }
  }

  @Test("a filling that fails leaves the old folder, and nothing else")
  func failure() throws {
    try Fixtures.withTemporaryFolder { place in
      let url = place.appending(path: "pair")
      try AtomicFolder.write(to: url) {
        try AtomicFile.write(Data(), to: $0.appending(path: "old"))
      }
      #expect(throws: Broken.self) { try AtomicFolder.write(to: url) { _ in throw Broken() } }
      #expect(try names(place) == ["pair"])
      #expect(try names(url) == ["old"])
    }
  }

  @Test("a link is replaced, and what it leads to stays")
  func links() throws {
    try Fixtures.withTemporaryFolder { place in
      let (secret, link) = (place.appending(path: "secret"), place.appending(path: "report.md"))
      try Data("mine".utf8).write(to: secret)
      try files.createSymbolicLink(at: link, withDestinationURL: secret)
      try AtomicFile.write(Data("new".utf8), to: link)
      #expect(try String(contentsOf: secret, encoding: .utf8) == "mine")
      #expect(try String(contentsOf: link, encoding: .utf8) == "new")

      let (home, pair) = (place.appending(path: "home"), place.appending(path: "pair"))
      try files.createDirectory(at: home, withIntermediateDirectories: true)
      try files.createSymbolicLink(at: pair, withDestinationURL: home)
      #expect(throws: FileError.self) { try AtomicFolder.check(pair) }
      try files.createSymbolicLink(
        at: place.appending(path: "lines"), withDestinationURL: secret)
      #expect(throws: (any Error).self) { try LineFile(place.appending(path: "lines")) }
    }
  }

  @Test("what dead processes left is removed; what others work on, or have, stays")
  func leftovers() throws {
    try Fixtures.withTemporaryFolder { place in
      func left(_ name: String) -> URL { place.appending(path: ".assay-partial-\(name)") }
      let (dead, foreign) = (left(UUID().uuidString), left("notes"))
      try Data().write(to: dead)
      try Data().write(to: foreign)
      let folder = left(UUID().uuidString)
      try files.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data().write(to: folder.appending(path: "config.json"))
      let link = left(UUID().uuidString)
      try files.createSymbolicLink(at: link, withDestinationURL: place)
      try AtomicFolder.write(to: place.appending(path: "one")) { _ in
        // The outer folder is locked by this process, and stays while another writer cleans up.
        try AtomicFile.write(Data("x".utf8), to: place.appending(path: "two"))
      }
      let kept = [foreign, link].map(\.lastPathComponent)
      #expect(try names(place) == (kept + ["one", "two"]).sorted())
    }
  }

  @Test("a folder that somebody asked for is replaced only as it was written")
  func own() throws {
    try Fixtures.withTemporaryFolder { place in
      let url = place.appending(path: "pair"), inner = url.appending(path: "base")
      func write(_ text: String) throws {
        try AtomicFolder.writeOwn(to: url) { folder in
          let base = folder.appending(path: "base")
          try files.createDirectory(at: base, withIntermediateDirectories: true)
          try AtomicFile.write(Data(text.utf8), to: base.appending(path: "config.json"))
        }
      }
      try write("one")
      try write("two")
      // One of another kind may hold what is being read.
      #expect(throws: FileError.self) { try AtomicFolder.check(url, replacing: .dictionary) }
      #expect(!OwnFolder.isChanged(url) && !OwnFolder.isChanged(place))
      let file = inner.appending(path: "config.json")
      let changes: [() throws -> Void] = [
        { try Data("mine".utf8).write(to: file) },
        { try Data("mine".utf8).write(to: inner.appending(path: "notes")) },
        {
          try files.createDirectory(at: url.appending(path: "x"), withIntermediateDirectories: true)
        },
        {
          try files.removeItem(at: file)
          try files.createSymbolicLink(atPath: file.path, withDestinationPath: "/etc/hostname")
        },
        { try files.removeItem(at: url.appending(path: ".assay.json")) },
      ]
      for change in changes {
        try change()
        let isMarked = files.fileExists(atPath: url.appending(path: ".assay.json").path)
        #expect(OwnFolder.isChanged(url) == isMarked)
        #expect(throws: FileError.self) { try write("three") }
        #expect(throws: FileError.self) { try AtomicFolder.check(url) }
        try files.removeItem(at: url)
        try write("two")
      }
      let foreign = place.appending(path: "foreign/base")
      try files.createDirectory(at: foreign, withIntermediateDirectories: true)
      #expect(throws: FileError.self) {
        try AtomicFolder.check(foreign.deletingLastPathComponent())
      }
      try AtomicFolder.check(foreign)
    }
  }

  @Test("a report replaces a report and nothing else")
  func reports() throws {
    try Fixtures.withTemporaryFolder { place in
      let url = place.appending(path: "smoke.md")
      for (text, isOurs) in [("# Assay: x", true), ("", true), ("# My notes", false)] {
        try Data(text.utf8).write(to: url)
        #expect(((try? AtomicFile.check(url, replacing: "# Assay")) != nil) == isOurs)
        #expect(try names(place) == ["smoke.md"])
      }
    }
  }

  @Test("two runs at once write under two names, and none is claimed for ever")
  func claims() throws {
    try Fixtures.withTemporaryFolder { place in
      var first: ClaimedName? = try ClaimedName("smoke", in: place)
      #expect(first?.name == "smoke")
      #expect(try ClaimedName("smoke", in: place).name == "smoke-2")
      #expect(try ClaimedName("standard", in: place).name == "standard")
      first = nil
      #expect(try ClaimedName("smoke", in: place).name == "smoke")
      #expect(try names(place).isEmpty)
    }
  }

  @Test("long names are written, and places that take nothing are told")
  func longNames() throws {
    try Fixtures.withTemporaryFolder { place in
      let long = String(repeating: "n", count: 250)
      try AtomicFile.write(Data(), to: place.appending(path: long))
      #expect {
        try AtomicFile.write(Data(), to: place.appending(path: long + "nnnnnnnn"))
      } throws: { "\($0)".contains("too long") }
      #expect(throws: FileError.self) { try AtomicFile.checkPlace(URL(filePath: "/proc/x/y")) }
    }
  }

  @Test("a hundred writers of one folder leave one whole folder")
  func race() throws {
    try Fixtures.withTemporaryFolder { place in
      let url = place.appending(path: "pair")
      DispatchQueue.concurrentPerform(iterations: 100) { index in
        try? AtomicFolder.write(to: url) { folder in
          for part in ["a", "b"] {
            try AtomicFile.write(Data("\(index)".utf8), to: folder.appending(path: part))
          }
        }
      }
      let (outer, inner) = (try names(place), try names(url))
      #expect(outer == ["pair"] && inner == ["a", "b"])
      #expect(
        try Data(contentsOf: url.appending(path: "a")) == Data(contentsOf: url.appending(path: "b"))
      )
    }
  }
}
