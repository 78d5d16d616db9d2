internal import Foundation
internal import JSON
internal import Transformers

/// A mistake in a text file, with its line.
package struct TextError: Error, Equatable, Sendable, CustomStringConvertible {
  let file: String
  let line: Int?
  let reason: String

  /// Says what is wrong with a line of a file; with the file as a whole if the line is nil.
  package init(file: String, line: Int?, reason: String) {
    (self.file, self.line, self.reason) = (file, line, reason)
  }

  /// What it is, in words.
  package var description: String {
    "\(Printable.line(file))\(line.map { ":\($0)" } ?? ""): \(reason)"
  }
}

/// The lines of a text file: plain ones, or objects with a `text` if the file is called `.jsonl`.
package struct TextLines: Sendable {
  /// A line that holds more than white space.
  package struct Line: Sendable {
    package let number: Int
    package let text: String

    /// A line of a text that is in no file.
    package init(number: Int, text: String) { (self.number, self.text) = (number, text) }
  }

  package let lines: [Line]
  /// Whether each line was an object, so that its text may hold line ends itself.
  package let isOfObjects: Bool

  /// Files beyond this are no rows of prompts.
  private static let sizeLimit = 1 << 26

  /// Reads a file.
  ///
  /// Lines end as on any system; empty ones and a byte order mark are passed over.
  ///
  /// - Throws: `TextError`.
  package init(_ file: String) throws {
    func fault(_ reason: String, _ line: Int? = nil) -> TextError {
      TextError(file: file, line: line, reason: reason)
    }
    let url = URL(filePath: file)
    if let reason = RegularFile.fault(url, limit: Self.sizeLimit) {
      throw fault("cannot be read: \(reason).")
    }
    guard let data = try? Data(contentsOf: url) else { throw fault("cannot be read.") }
    let isOfObjects = url.pathExtension == "jsonl"
    self.isOfObjects = isOfObjects
    lines = try Self.cut([UInt8](data)).enumerated().compactMap { (index, bytes) -> Line? in
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw fault("is not UTF-8 text.", index + 1)
      }
      guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else { return nil }
      guard isOfObjects else { return Line(number: index + 1, text: text) }
      guard case .string(let content)? = try? JSON.parse(Data(bytes), file: file)["text"] else {
        throw fault("is no JSON object with a 'text'.", index + 1)
      }
      return Line(number: index + 1, text: content)
    }
  }

  /// Cuts at line ends, \r\n being one.
  private static func cut(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    let (feed, start) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    var lines: [ArraySlice<UInt8>] = [], begin = bytes.starts(with: mark) ? mark.count : 0
    for index in bytes.indices.dropFirst(begin) where bytes[index] == feed || bytes[index] == start
    {
      // The second of the two was passed with the first.
      if bytes[index] == feed, index > 0, bytes[index - 1] == start {
        begin = index + 1
        continue
      }
      lines.append(bytes[begin..<index])
      begin = index + 1
    }
    return lines + [bytes[begin...]]
  }
}
