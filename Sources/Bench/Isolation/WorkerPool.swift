package import Foundation
internal import JSON
internal import Synchronization

/// Worker processes, one for each pair that is worked on at once.
package final class WorkerPool: Sendable {
  private let executable: URL
  private let arguments: [String]
  private let idle = Mutex<[WorkerProcess]>([])

  /// - Parameters:
  ///   - executable: A program that serves as a `MethodWorker`.
  ///   - arguments: What makes it do so, on the same project.
  package init(executable: URL, arguments: [String]) {
    self.executable = executable
    self.arguments = arguments
  }

  /// Why methods cannot be walled in on this system; nil if they can.
  package static var obstacle: String? { SealedCall.obstacle }

  /// Starts as many workers as will be needed, while the program and its sources are as they were.
  func start(_ count: Int) throws {
    let new = try (0..<count).map { _ in try worker() }
    idle.withLock { $0 += new }
  }

  private func worker() throws -> WorkerProcess {
    try WorkerProcess(executable: executable, arguments: arguments)
  }

  /// Asks a worker, a new one if all are at work.
  ///
  /// - Throws: `WorkerFault` if the worker ended; the next request starts another.
  func replies(_ request: WorkerRequest) throws -> [WorkerReply] {
    let worker = try idle.withLock { $0.popLast() } ?? self.worker()
    let replies = try worker.replies(request)
    idle.withLock { $0.append(worker) }
    return replies
  }
}

/// One worker process and its two pipes.
final class WorkerProcess: @unchecked Sendable {
  private let process = Process()
  private let requests: Pipe, answers: Pipe
  /// What was read behind the last line.
  private var rest = Data()

  /// - Throws: `WorkerFault` if the program does not start.
  init(executable: URL, arguments: [String]) throws {
    (requests, answers) = try ProcessStart.lock.withLock { [process] _ in
      // A worker that ended is an error to report, not a reason to die.
      signal(SIGPIPE, SIG_IGN)
      let pipes = (Pipe(), Pipe())
      process.executableURL = executable
      process.arguments = arguments
      var environment = ProcessInfo.processInfo.environment
      // One thread, as forking needs; the sums are the same, since a pair uses one thread wherever several run.
      environment["OPENBLAS_NUM_THREADS"] = "1"
      process.environment = environment
      process.standardInput = pipes.0
      process.standardOutput = pipes.1
      do {
        try process.run()
      } catch {
        throw WorkerFault("\(executable.path) does not start: \(error)")
      }
      return pipes
    }
  }

  deinit {
    // The end of its input ends the worker.
    try? requests.fileHandleForWriting.close()
    if process.isRunning { process.waitUntilExit() }
  }

  /// Sends a request and reads until the end of its answer.
  func replies(_ request: WorkerRequest) throws -> [WorkerReply] {
    do {
      try requests.fileHandleForWriting.write(
        contentsOf: Data((JSON.encode(request) + "\n").utf8))
    } catch { throw lost() }
    var replies: [WorkerReply] = []
    while true {
      let reply: WorkerReply
      do {
        reply = try JSON.decode(WorkerReply.self, from: line(), file: "a worker's answer")
      } catch let error as JSONError {
        throw WorkerFault("\(error)")
      }
      guard reply.method == nil else {
        replies.append(reply)
        continue
      }
      if let failure = reply.failure { throw WorkerFault(failure) }
      return replies
    }
  }

  private func line() throws -> Data {
    while true {
      if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        defer { rest = Data(rest[rest.index(after: end)...]) }
        return Data(rest[..<end])
      }
      let more = answers.fileHandleForReading.availableData
      guard !more.isEmpty else { throw lost() }
      rest += more
    }
  }

  private func lost() -> WorkerFault {
    process.waitUntilExit()
    return WorkerFault("a worker process ended with code \(process.terminationStatus)")
  }
}
