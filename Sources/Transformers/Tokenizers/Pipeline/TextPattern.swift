internal import Foundation
internal import JSON

/// What a tokenizer's file calls a pattern: a literal text, or a regular expression of Oniguruma's.
struct TextPattern: Sendable {
  private let expression: NSRegularExpression?

  /// A regular expression in ICU's own spelling.
  ///
  /// - Throws: Foundation's error if it is none.
  init(expression: String) throws {
    // Oniguruma's anchors are of lines, and a line ends with \n alone.
    self.expression = try NSRegularExpression(
      pattern: expression, options: [.anchorsMatchLines, .useUnixLineSeparators])
  }

  /// Matches one text as it stands; an empty one matches nothing.
  init(literal: String) throws {
    expression =
      literal.isEmpty
      ? nil
      : try NSRegularExpression(pattern: NSRegularExpression.escapedPattern(for: literal))
  }

  /// Reads `{"Regex": …}` or `{"String": …}`.
  ///
  /// - Throws: `UnsupportedPart`.
  init(_ value: JSONValue?) throws {
    switch (value?["Regex"], value?["String"]) {
    case (.string(let pattern)?, nil):
      do { try self.init(expression: Self.translated(pattern)) } catch {
        throw UnsupportedPart(
          "its regular expression '\(Printable.quoted(pattern))' cannot be read")
      }
    case (nil, .string(let text)?): try self.init(literal: text)
    default: throw UnsupportedPart("a pattern is neither 'Regex' nor 'String'")
    }
  }

  /// Oniguruma's classes by ICU's names, where the same letter means something else.
  ///
  /// ICU's `\s` lacks the vertical tab and the next line, and its `\w` the numbers that are no digits.
  private static func translated(_ pattern: String) -> String {
    let classes: [Unicode.Scalar: String] = [
      "s": #"\p{White_Space}"#, "S": #"\P{White_Space}"#,
      "w": #"[\p{L}\p{M}\p{N}\p{Pc}]"#, "W": #"[^\p{L}\p{M}\p{N}\p{Pc}]"#,
      "h": "[0-9a-fA-F]", "H": "[^0-9a-fA-F]",
    ]
    var result = "", isEscaped = false
    for scalar in pattern.unicodeScalars {
      guard isEscaped else {
        isEscaped = scalar == "\\"
        if !isEscaped { result.unicodeScalars.append(scalar) }
        continue
      }
      result += classes[scalar] ?? "\\\(scalar)"
      isEscaped = false
    }
    return result + (isEscaped ? "\\" : "")
  }

  /// A text in pieces, those that match and those between them, in order; none is empty.
  func pieces(of text: String) -> [(text: Substring, isMatch: Bool)] {
    var pieces: [(Substring, Bool)] = [], end = text.startIndex
    func add(_ range: Range<String.Index>, _ isMatch: Bool) {
      if !range.isEmpty { pieces.append((text[range], isMatch)) }
    }
    for range in ranges(in: text) {
      add(end..<range.lowerBound, false)
      add(range, true)
      end = range.upperBound
    }
    add(end..<text.endIndex, false)
    return pieces
  }

  private func ranges(in text: String) -> [Range<String.Index>] {
    guard let expression else { return [] }
    let units = text.utf16
    var offset = 0, index = text.startIndex
    return expression.matches(in: text, range: NSRange(location: 0, length: units.count)).map {
      // From the end of the last match: an offset from the start would be counted anew each time.
      let lower = units.index(index, offsetBy: $0.range.location - offset)
      index = units.index(lower, offsetBy: $0.range.length)
      offset = $0.range.location + $0.range.length
      return lower..<index
    }
  }

  /// A text with what matches replaced.
  func replacing(in text: String, by replacement: String) -> String {
    pieces(of: text).map { $0.isMatch ? replacement : String($0.text) }.joined()
  }
}

/// A part of a tokenizer that Assay does not know.
struct UnsupportedPart: Error, Equatable, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// What becomes of the matches when a text is cut at a pattern.
enum CutBehavior: String {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"

  /// The texts that are left of pieces.
  func texts(_ pieces: [(text: Substring, isMatch: Bool)]) -> [String] {
    switch self {
    case .isolated: pieces.map { String($0.text) }
    case .removed: pieces.filter { !$0.isMatch }.map { String($0.text) }
    case .contiguous: joined(pieces) { $0 == $1 }
    case .mergedWithPrevious: joined(pieces) { !$0 && $1 }
    case .mergedWithNext: joined(pieces) { $0 && !$1 }
    }
  }

  /// Neighbours put together where `isOne` says so of whether they match.
  private func joined(
    _ pieces: [(text: Substring, isMatch: Bool)], _ isOne: (Bool, Bool) -> Bool
  ) -> [String] {
    var texts: [String] = [], wasMatch: Bool?
    for piece in pieces {
      if let wasMatch, isOne(wasMatch, piece.isMatch) {
        texts[texts.count - 1] += piece.text
      } else {
        texts.append(String(piece.text))
      }
      wasMatch = piece.isMatch
    }
    return texts
  }
}
