internal import Files
package import Foundation
internal import JSON
internal import Synchronization

/// A file of JSON lines that holds everything that endpoints were asked and what came back; no key is in it.
package final class Transcript: Sendable {
  private let file: LineFile
  private let lost = Mutex(0)

  /// How many exchanges could not be noted, as where the disk is full.
  package var lostCount: Int { lost.withLock(\.self) }

  /// Starts a file.
  ///
  /// - Throws: `FileError.unwritable`, also for a file that is there.
  package init(_ url: URL) throws {
    guard !FileManager.default.fileExists(atPath: url.path) else {
      throw FileError.unwritable(
        url.path, reason: "it is there already; a transcript is a new file")
    }
    do {
      file = try LineFile(url)
    } catch {
      throw FileError.unwritable(url.path, reason: "no permission, or no space")
    }
  }

  func add(
    _ side: Endpoint.Side, _ request: String, _ answer: HTTPExchange.Answer, seconds: Double
  ) {
    add(
      side, request, seconds,
      [
        ("status", .integer(Int64(answer.status))),
        ("answer", .string(String(decoding: answer.body, as: UTF8.self))),
      ])
  }

  func add(_ side: Endpoint.Side, _ request: String, _ fault: String, seconds: Double) {
    add(side, request, seconds, [("fault", .string(fault))])
  }

  private func add(
    _ side: Endpoint.Side, _ request: String, _ seconds: Double, _ rest: [(String, JSONValue)]
  ) {
    let line: JSONValue = .object(
      [
        ("side", .string(side.rawValue)), ("seconds", .number(seconds)),
        ("request", .string(request)),
      ] + rest)
    do {
      try file.append(Data(JSON.text(of: line).utf8))
    } catch {
      // No reason to stop asking; it is said at the end.
      lost.withLock { $0 += 1 }
    }
  }
}
