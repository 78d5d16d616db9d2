internal import Files
package import Foundation
internal import JSON
internal import Synchronization

/// A value that is kept under a key, which its JSON starts with.
protocol KeyedValue: Codable, Sendable {
  /// The digest of everything that decides the value.
  var key: String { get }
}

/// A file of JSON lines, each a value under its key, that several processes may add to.
///
/// Each line ends with a digest of itself, so that one that was damaged or torn is found: it is passed over,
/// said to be, and made anew by whoever needs it.
final class KeyedLines<Value: KeyedValue>: Sendable {
  private struct State {
    /// Lines without their digests, by key; decoded when they are asked for.
    var bodies: [String: Data]
    /// Nil if the file is only read.
    let file: LineFile?
  }

  private let state: Mutex<State>
  private let path: String

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - isReadOnly: Whether nothing is started, mended or added.
  ///   - notice: Told how many lines are damaged.
  /// - Throws: `FileError.unwritable`.
  init(_ url: URL, isReadOnly: Bool = false, notice: (String) -> Void) throws {
    path = url.path
    do {
      let file = isReadOnly ? nil : try LineFile(url)
      let content = try file?.content() ?? LineFile.content(of: url)
      let bodies = content.lines.compactMap(Self.checked)
      let damaged = content.lines.count - bodies.count + (content.isTorn ? 1 : 0)
      if damaged > 0 {
        notice(
          "\(url.path): \(damaged) of \(content.lines.count + (content.isTorn ? 1 : 0)) lines are damaged; "
            + "what they held is made anew when it is needed")
      }
      state = Mutex(State(bodies: Dictionary(bodies) { $1 }, file: file))
    } catch {
      throw FileError.unwritable(url.path, reason: "no permission, or no space")
    }
  }

  /// The value under a key; nil if there is none, or one that another version wrote in another form.
  func value(_ key: String) -> Value? {
    let body = state.withLock { $0.bodies[key] }
    return body.flatMap { try? JSON.decode(Value.self, from: $0, file: path) }
  }

  /// Adds a value, and reads it back: what was measured now is what will be read later.
  ///
  /// - Returns: The value as it is kept.
  /// - Throws: `FileError.unwritable`, then it is not kept; what decoding throws, if it cannot be read back.
  /// - Precondition: The file is not only read.
  @discardableResult
  func append(_ value: Value) throws -> Value {
    let body = Data(try JSON.encode(value).utf8)
    try state.withLock { state in
      guard let file = state.file else { preconditionFailure("\(path) is only read") }
      do {
        try file.append(Seal.sealed(body))
      } catch {
        throw FileError.unwritable(path, reason: "the disk may be full")
      }
      state.bodies[value.key] = body
    }
    return try JSON.decode(Value.self, from: body, file: path)
  }

  /// The key and the body of a line; nil if it is not what was written.
  private static func checked(_ line: Data) -> (String, Data)? {
    let prefix = Data("{\"key\":\"".utf8)
    guard line.starts(with: prefix), let body = Seal.opened(line) else { return nil }
    let key = line.dropFirst(prefix.count).prefix { $0 != UInt8(ascii: "\"") }
    return (String(decoding: key, as: UTF8.self), body)
  }
}

/// A folder of such files, one a pair.
package struct PairFiles<Value>: Sendable {
  private let folder: URL
  private let notice: @Sendable (String) -> Void

  package init(_ folder: URL, notice: @escaping @Sendable (String) -> Void) {
    self.folder = folder
    self.notice = notice
  }
}

extension PairFiles where Value: KeyedValue {
  /// The lines of a pair.
  ///
  /// - Parameters:
  ///   - name: Organism and regime, for people who look into the folder.
  ///   - digest: That of both models.
  ///   - isReadOnly: Whether nothing is written.
  /// - Throws: `FileError.unwritable`.
  func open(_ name: PairName, digest: String, isReadOnly: Bool = false) throws -> KeyedLines<Value>
  {
    try KeyedLines(
      folder.appending(path: "\(name.subject)-\(name.regime)-\(digest).jsonl"),
      isReadOnly: isReadOnly, notice: notice)
  }
}
