internal import CIsolation
internal import Foundation

/// Runs code in a process that ends with it, and that reaches nothing but its own memory.
///
/// The child starts as a copy of this process, so that models and text need not be sent. What it changes in its
/// memory ends with it. Where the system can seal it (Linux), it can open no file, no socket and no process.
enum SealedCall {
  /// Processor seconds after which a child is ended.
  private static let limit: Int32 = 1800

  /// Why this system cannot seal a process; nil if it can.
  static var obstacle: String? {
    let fault = assay_can_seal()
    return fault == 0 ? nil : unsafe String(cString: strerror(fault))
  }

  /// Runs `body` in a child and collects what it says, line by line.
  ///
  /// - Precondition: The process has one thread.
  /// - Parameter body: Says lines; runs in the child.
  /// - Returns: The lines that were said whole, and why the child ended early; nil if it did not.
  static func lines(_ body: (_ say: (String) -> Void) -> Void) throws -> (
    lines: [String], end: String?
  ) {
    let pipe = Pipe()
    let child = assay_fork()
    guard child >= 0 else { throw WorkerFault("this system starts no more processes") }
    if child == 0 { inChild(pipe.fileHandleForWriting.fileDescriptor, body) }
    try pipe.fileHandleForWriting.close()
    let data = try read(pipe.fileHandleForReading)
    let status = assay_wait(child)
    let lines = String(decoding: data, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    // What stands behind the last line's end was not said to the end.
    return (lines.dropLast().map(String.init), status == 0 ? nil : reason(status))
  }

  /// Reads to the end; if whoever started this process ends before, so does it, and the child with it.
  private static func read(_ file: FileHandle) throws -> Data {
    var data = Data()
    while true {
      guard assay_wait_for(file.fileDescriptor, STDIN_FILENO) == 1 else { assay_leave(0) }
      let more = file.availableData
      guard !more.isEmpty else { return data }
      data += more
    }
  }

  private static func inChild(_ file: Int32, _ body: ((String) -> Void) -> Void) -> Never {
    let fault = assay_seal(file, limit)
    // Where the system cannot seal, the process is still one of its own.
    guard fault == 0 || fault == ENOSYS else { assay_leave(3) }
    body { line in
      let bytes = Array((line + "\n").utf8)
      let fault = unsafe bytes.withUnsafeBytes { unsafe assay_write(3, $0.baseAddress, $0.count) }
      if fault != 0 { assay_leave(2) }
    }
    assay_leave(0)
  }

  private static func reason(_ status: Int32) -> String {
    status > 256 ? "it was ended by signal \(status - 256)" : "it ended with code \(status)"
  }
}

/// What keeps a worker from working, in words.
struct WorkerFault: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
