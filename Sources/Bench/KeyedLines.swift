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
    let file: LineFile
  }

  private let state: Mutex<State>
  private let path: String

  /// Opens a file, or starts it.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - notice: Told how many lines are damaged.
  /// - Throws: `FileError.unwritable`.
  init(_ url: URL, notice: (String) -> Void) throws {
    path = url.path
    do {
      let file = try LineFile(url)
      let lines = try file.lines()
      let bodies = lines.compactMap(Self.checked)
      if bodies.count < lines.count {
        notice(
          "\(url.path): \(lines.count - bodies.count) of \(lines.count) lines are damaged; what they held "
            + "is made anew")
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

  /// Adds a value.
  ///
  /// - Throws: `FileError.unwritable`; then it is not kept.
  func append(_ value: Value) throws {
    let body = Data(try JSON.encode(value).utf8)
    try state.withLock { state in
      do {
        try state.file.append(Seal.sealed(body))
      } catch {
        throw FileError.unwritable(path, reason: "the disk may be full")
      }
      state.bodies[value.key] = body
    }
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
  ///   - digest: That of both models' weights.
  /// - Throws: `FileError.unwritable`.
  func open(_ name: PairName, digest: String) throws -> KeyedLines<Value> {
    try KeyedLines(
      folder.appending(path: "\(name.subject)-\(name.regime)-\(digest).jsonl"), notice: notice)
  }
}
