import Foundation
import TestSupport

/// The tool, as a user runs it.
enum Tool {
  /// What a run answered.
  struct Answer {
    let code: Int32
    /// Standard output.
    let output: String
    /// Standard error.
    let errors: String
  }

  /// The built tool lies beside the tests.
  static let path = Fixtures.program("assay") ?? URL(filePath: "assay")

  /// Runs the tool to its end.
  ///
  /// - Parameters:
  ///   - output: A file to write to instead of one that is read back.
  ///   - errors: The same for standard error.
  static func run(_ words: String...) throws -> Answer { try run(words) }

  /// The same of a list of words.
  static func run(
    _ words: [String], root: URL = Fixtures.repository, output: String? = nil,
    errors: String? = nil
  ) throws -> Answer {
    try Fixtures.withTemporaryFolder { folder in
      let process = Process()
      process.executableURL = path
      process.arguments = words
      process.environment = ProcessInfo.processInfo.environment.merging(["ASSAY_ROOT": root.path]) {
        $1
      }
      // Files, not pipes: nothing waits for a reader.
      let files = try ["output", "errors"].map { name in
        let url = folder.appending(path: name)
        try Data().write(to: url)
        return (url: url, handle: try FileHandle(forWritingTo: url))
      }
      func handle(_ path: String?, _ other: FileHandle) throws -> FileHandle {
        try path.map { try FileHandle(forWritingTo: URL(filePath: $0)) } ?? other
      }
      process.standardOutput = try handle(output, files[0].handle)
      process.standardError = try handle(errors, files[1].handle)
      try process.run()
      process.waitUntilExit()
      let texts = try files.map { try String(contentsOf: $0.url, encoding: .utf8) }
      return Answer(code: process.terminationStatus, output: texts[0], errors: texts[1])
    }
  }
}
