internal import CIsolation
internal import Files
package import Foundation
internal import JSON

/// What a program may use.
package struct ProgramLimits: Sendable {
  /// For a pair.
  package var seconds: Double
  /// Bytes that each of its processes may have for itself.
  package var memory: Int

  package init(seconds: Double = 600, memory: Int = 8 << 30) {
    self.seconds = seconds
    self.memory = memory
  }

  /// Bytes of the longest file that it may write, what it prints among them.
  static let longestFile = 4 << 30
}

/// Runs a program under limits, and ends with it whatever it started.
///
/// A process of its own does this, which has one thread and no other children, as `assay_supervise` needs.
package enum Supervision {
  /// What became of a program.
  struct Report: Codable {
    /// Its exit code, or 256 plus the signal that ended it.
    let code: Int
    /// Whether its time was over.
    let isLate: Bool
    let seconds: Double
    /// The largest memory of its processes, in bytes.
    let peakMemory: Int

    /// Why it did not do what it should; nil if it ended well.
    var fault: String? {
      if isLate { return "it was not done after \(Int(seconds)) s" }
      if code == 127 { return "its shell ended with code 127, as if a program is not found" }
      if code > 256 { return "it was ended by signal \(code - 256)" }
      return code == 0 ? nil : "it ended with code \(code)"
    }
  }

  /// Runs a program, for a process that does nothing else, and says on standard error what became of it: a line of JSON.
  ///
  /// - Parameters:
  ///   - words: The program and its arguments.
  ///   - limits: What it may use; a time of 0 is no limit.
  ///   - log: A file that the program's standard error goes to.
  ///   - logsOutput: Whether its standard output does too.
  /// - Throws: `FileError.unwritable`.
  package static func run(
    _ words: [String], limits: ProgramLimits, log: URL, logsOutput: Bool
  ) throws {
    guard let file = FileHandle(forWritingAtPath: log.path) else {
      throw FileError.unwritable(log.path, reason: "it is not there")
    }
    let limits = assay_limits(
      seconds: limits.seconds, memory: UInt64(max(0, limits.memory)),
      file: UInt64(ProgramLimits.longestFile))
    let outcome = unsafe withArguments(words) {
      unsafe assay_supervise($0, limits, file.fileDescriptor, logsOutput ? 1 : 0)
    }
    let report = Report(
      code: Int(outcome.code), isLate: outcome.stopped == 1, seconds: outcome.seconds,
      peakMemory: Int(outcome.memory))
    try FileHandle.standardError.write(contentsOf: Data((JSON.encode(report) + "\n").utf8))
  }

  /// Calls with words as C has them, the last of them null.
  private static func withArguments<Result>(
    _ words: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    let copies = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe copies.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { preconditionFailure("there is a last word") }
      return unsafe body(start)
    }
  }

  /// The report that a supervisor wrote; nil if it wrote none.
  static func report(_ text: Data) -> Report? {
    try? JSON.decode(Report.self, from: text, file: "a supervisor's report")
  }
}

/// Why a program has no answer, in words.
struct ProgramFault: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
