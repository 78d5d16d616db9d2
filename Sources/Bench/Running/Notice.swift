internal import Foundation
internal import JSON
internal import Logging
internal import Synchronization

/// What people are told apart from what they asked for: on standard error, by swift-log.
package enum Notice {
  /// How much is told.
  package enum Extent: Sendable {
    /// Errors alone.
    case quiet
    case normal
    /// What is done, too.
    case verbose
  }

  private static let settings = Mutex((extent: Extent.normal, isJSON: false))

  /// Says how much is told, and whether as lines of JSON: an object with `time`, `level` and `message`.
  package static func configure(_ extent: Extent, isJSON: Bool) {
    settings.withLock { $0 = (extent, isJSON) }
  }

  package static var isJSON: Bool { settings.withLock(\.isJSON) }
  package static var isQuiet: Bool { settings.withLock { $0.extent == .quiet } }

  private static var logger: Logger {
    let (extent, isJSON) = settings.withLock(\.self)
    var logger = Logger(label: "assay") { _ in StandardErrorLog(isJSON: isJSON) }
    logger.logLevel =
      switch extent {
      case .quiet: .error
      case .normal: .info
      case .verbose: .debug
      }
    return logger
  }

  /// Tells a sentence that people should know of.
  package static let standardError: @Sendable (String) -> Void = { logger.warning("\($0)") }

  /// Tells why what was asked for is not there.
  package static func error(_ text: String) { logger.error("\(text)") }

  /// Tells how far something is.
  package static func progress(_ text: String) { logger.info("\(text)") }

  /// Tells what is done, who wants to know.
  package static func detail(_ text: @autoclosure () -> String) { logger.debug("\(text())") }

  /// Writes to standard error as it is; where nobody can read it, nothing happens.
  package static func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}

/// A line of standard error for each message; what a text puts into it does not act on the terminal.
private struct StandardErrorLog: LogHandler {
  let isJSON: Bool
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(isJSON: Bool) { self.isJSON = isJSON }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let text = "\(event.message)"
    guard isJSON else { return Notice.write("assay: \(Printable.lines(text))\n") }
    let line: JSONValue = .object([
      ("time", .string(Date.now.formatted(.iso8601))), ("level", .string("\(event.level)")),
      ("message", .string(text)),
    ])
    Notice.write(Printable.json(JSON.text(of: line)) + "\n")
  }
}
