internal import Foundation
internal import Synchronization

/// A program of somebody's that runs under a supervisor.
final class SupervisedProcess: @unchecked Sendable {
  private let process = Process()
  private let log: URL
  private let reportFile: URL
  /// What it reads, if it is asked anything.
  private let questions: FileHandle?
  /// What it answers, and what was read of that behind the last line.
  private let answers: FileHandle?
  private var rest = Data()

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - command: For the shell.
  ///   - limits: What it may use; one that is asked has no limit of time.
  ///   - isAsked: Whether its standard files are for questions and answers; else what it prints goes to the log.
  ///   - supervisor: A program whose command `supervise` is `Supervision.run`.
  ///   - folder: Where its log and the supervisor's report go.
  /// - Throws: `ProgramFault`.
  init(
    _ command: String, _ limits: ProgramLimits, isAsked: Bool, supervisor: URL, in folder: URL
  ) throws {
    log = folder.appending(path: "log")
    reportFile = folder.appending(path: "report.json")
    process.executableURL = supervisor
    process.arguments = [
      "supervise", "--seconds", "\(isAsked ? 0 : limits.seconds)", "--memory", "\(limits.memory)",
      "--report", reportFile.path, "--", "/bin/sh", "-c", command,
    ]
    (questions, answers) = try ProcessStart.lock.withLock { [process, log] _ in
      guard FileManager.default.createFile(atPath: log.path, contents: nil),
        let printed = FileHandle(forWritingAtPath: log.path)
      else { throw ProgramFault("\(log.path) cannot be written") }
      let pipes = isAsked ? (Pipe(), Pipe()) : nil
      if let pipes {
        process.standardInput = pipes.0
      } else {
        process.standardInput = FileHandle.nullDevice
      }
      if let pipes { process.standardOutput = pipes.1 } else { process.standardOutput = printed }
      process.standardError = printed
      do {
        try process.run()
      } catch {
        throw ProgramFault("\(supervisor.path) does not start: \(error)")
      }
      return (pipes?.0.fileHandleForWriting, pipes?.1.fileHandleForReading)
    }
  }

  deinit { stop() }

  /// Ends it, and whatever it started.
  func stop() {
    try? questions?.close()
    if process.isRunning {
      process.terminate()
      process.waitUntilExit()
    }
  }

  /// Waits for its end.
  ///
  /// - Throws: `ProgramFault` if it did not end well.
  func finish() throws -> Supervision.Report {
    process.waitUntilExit()
    guard let report = Supervision.report(at: reportFile) else {
      throw ProgramFault("its supervisor ended with code \(process.terminationStatus)")
    }
    if let fault = report.fault { throw ProgramFault(fault + printed) }
    return report
  }

  /// Sends a line and waits for one.
  ///
  /// - Parameter seconds: How long.
  /// - Throws: `ProgramFault`.
  func answer(to line: String, within seconds: Double) throws -> Data {
    guard let questions, let answers else { preconditionFailure("this program is not asked") }
    // A program that ended is an error to report, not a reason to die.
    signal(SIGPIPE, SIG_IGN)
    let end = Date().addingTimeInterval(seconds)
    do {
      try questions.write(contentsOf: Data((line + "\n").utf8))
    } catch { throw lost() }
    while true {
      if let place = rest.firstIndex(of: UInt8(ascii: "\n")) {
        defer { rest = Data(rest[rest.index(after: place)...]) }
        return Data(rest[..<place])
      }
      guard rest.count <= Self.longestLine else {
        throw ProgramFault("its answer is no line, after \(rest.count) bytes")
      }
      let left = end.timeIntervalSinceNow
      guard left > 0 else {
        throw ProgramFault("it was not done after \(Int(seconds)) s" + printed)
      }
      guard ProcessStart.hasSomething(answers, within: left) else { continue }
      let more = answers.availableData
      guard !more.isEmpty else { throw lost() }
      rest += more
    }
  }

  private static let longestLine = 1 << 16

  /// Why it answers no more. One that closed its output and runs on is ended.
  private func lost() -> ProgramFault {
    for _ in 0..<100 where process.isRunning { usleep(10_000) }
    stop()
    do {
      return ProgramFault("it ended after \(try finish().seconds) s" + printed)
    } catch {
      return error as? ProgramFault ?? ProgramFault("\(error)")
    }
  }

  /// The end of what it printed, in parentheses.
  private var printed: String {
    guard let file = try? FileHandle(forReadingFrom: log), let size = try? file.seekToEnd() else {
      return ""
    }
    try? file.seek(toOffset: size - min(size, 4096))
    let text = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline).suffix(3).map { $0.suffix(200) }
    return lines.isEmpty ? "" : " (it printed: \(lines.joined(separator: " / ")))"
  }
}
