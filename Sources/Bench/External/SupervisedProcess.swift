internal import Foundation
internal import Synchronization

/// A program of somebody's that runs under a supervisor.
final class SupervisedProcess: @unchecked Sendable {
  private let process = Process()
  private let log: URL
  /// Where the supervisor says what became of the program; nobody else can write there.
  private let report: FileHandle
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
  ///   - folder: Where its log goes.
  /// - Throws: `ProgramFault`.
  init(
    _ command: String, _ limits: ProgramLimits, isAsked: Bool, supervisor: URL, in folder: URL
  ) throws {
    log = folder.appending(path: "log")
    guard FileManager.default.createFile(atPath: log.path, contents: nil) else {
      throw ProgramFault("\(log.path) cannot be written")
    }
    process.executableURL = supervisor
    process.arguments =
      [
        "supervise", "--seconds", "\(isAsked ? 0 : limits.seconds)", "--memory", "\(limits.memory)",
        "--log", log.path,
      ] + (isAsked ? [] : ["--logs-output"]) + ["--", "/bin/sh", "-c", command]
    let reports = Pipe()
    (questions, answers) = try ProcessStart.lock.withLock { [process] _ in
      let pipes = isAsked ? (Pipe(), Pipe()) : nil
      if let pipes {
        (process.standardInput, process.standardOutput) = pipes
      } else {
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
      }
      process.standardError = reports
      do {
        try process.run()
      } catch {
        throw ProgramFault("\(supervisor.path) does not start: \(error)")
      }
      return (pipes?.0.fileHandleForWriting, pipes?.1.fileHandleForReading)
    }
    report = reports.fileHandleForReading
  }

  deinit { stop() }

  /// Ends it, and whatever it started.
  func stop() {
    try? questions?.close()
    guard process.isRunning else { return }
    process.terminate()
    if !hasEnded(within: Self.grace) { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  /// Seconds that a supervisor has to end what is left of a program.
  private static let grace = 15.0

  private func hasEnded(within seconds: Double) -> Bool {
    let end = Date().addingTimeInterval(seconds)
    while process.isRunning {
      if end.timeIntervalSinceNow < 0 { return false }
      usleep(5_000)
    }
    return true
  }

  /// Waits for its end.
  ///
  /// - Parameter seconds: How long, beside what its supervisor needs.
  /// - Throws: `ProgramFault` if it did not end well.
  func finish(within seconds: Double) throws -> Supervision.Report {
    let isOver = hasEnded(within: seconds + Self.grace)
    if !isOver { stop() }
    guard let text = try? report.readToEnd(), let report = Supervision.report(text), isOver else {
      throw ProgramFault("its supervisor was ended" + printed)
    }
    if let fault = report.fault { throw ProgramFault(fault + printed) }
    return report
  }

  /// Sends a line and waits for one.
  ///
  /// - Parameter seconds: How long.
  /// - Throws: `ProgramFault`, also if it had said something before it was asked.
  func answer(to line: String, within seconds: Double) throws -> Data {
    guard let questions, let answers else { preconditionFailure("this program is not asked") }
    guard rest.isEmpty, !ProcessStart.hasSomething(answers, within: 0) else {
      if rest.isEmpty, answers.availableData.isEmpty { throw lost() }
      throw ProgramFault(
        "it said something before it was asked: it should answer each line with one")
    }
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

  /// Why it answers no more.
  ///
  /// One that closed its output and runs on is ended.
  private func lost() -> ProgramFault {
    if !hasEnded(within: 1) { stop() }
    do {
      _ = try finish(within: 0)
      return ProgramFault("it ended without an answer" + printed)
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
