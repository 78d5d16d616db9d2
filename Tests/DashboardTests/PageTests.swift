import Foundation
import JSON
import Reporting
import Testing

@testable import Dashboard

@Suite("A page")
struct PageTests {
  /// The text of a block by its id.
  static func block(_ id: String, of html: String) -> String? {
    let start = "<script type=\"application/json\" id=\"\(id)\">"
    return html.range(of: start).flatMap { head in
      html.range(of: "</script>", range: head.upperBound..<html.endIndex).map {
        String(html[head.upperBound..<$0.lowerBound])
      }
    }
  }

  static func data(_ html: String) throws -> JSONValue {
    try whole(html).at("data")
  }

  /// A part by its name; nothing if the page does not hold it.
  static func part(_ name: String, of html: String) throws -> JSONValue {
    guard let index = try whole(html).at("parts").items.firstIndex(of: .string(name)),
      let text = block("part-\(index)", of: html)
    else { return .null }
    return try JSON.parse(Data(text.utf8), file: "part")
  }

  private static func whole(_ html: String) throws -> JSONValue {
    try JSON.parse(Data((block("data", of: html) ?? "").utf8), file: "page")
  }

  private static let hostile = [
    "</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u{2028}\"'`${x}", "\u{1b}[31m",
    "\u{202e}txt", "&lt;", "\\u003c",
  ]

  @Test(
    "text of a model or a file is text: it ends no block and starts no script", arguments: hostile)
  func escaping(text: String) throws {
    let html = try Page(
      title: text, data: .object([("word", .string(text))]),
      parts: [(name: text, json: JSON.plainText(of: .array([.string(text)])))]
    ).html()
    // Two blocks and the program.
    #expect(html.components(separatedBy: "<script").count == 4)
    #expect(html.components(separatedBy: "</script>").count == 4)
    #expect(!html.contains("\u{1b}") && !html.contains("\u{202e}"))
    #expect(try Self.data(html).at("word") == .string(text))
    #expect(try Self.part(text, of: html) == .array([.string(text)]))
  }

  @Test("a page lets its own script and looks work, and nothing else, and asks nobody for anything")
  func policy() throws {
    let html = try Page(title: "t", data: .null).html()
    let policy = try #require(
      html.firstMatch(of: /Content-Security-Policy" content="([^"]*)"/)?.output.1)
    #expect(policy.hasPrefix("default-src 'none'; script-src 'sha256-"))
    #expect(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("http"))
    for part in ["src=\"", "<link", "@import", "url(http"] {
      #expect(!html.contains(part), "\(part)")
    }
    #expect(html.hasPrefix(Page.start))
  }

  @Test("numbers have four digits, counts are whole, and what is no number is none")
  func digits() {
    #expect(JSONValue.digits(0.123456) == .number(0.1235))
    #expect(JSONValue.digits(1234567.5) == .number(1_235_000))
    #expect(JSONValue.digits(Float(11264)) == .integer(11264))
    #expect(JSONValue.digits(Float.nan) == .null && JSONValue.digits(Double.infinity) == .null)
    #expect(JSONValue.digits(Double?.none) == .null)
  }
}

extension JSONValue {
  /// A member of members; null if there is none.
  func at(_ keys: String...) -> JSONValue {
    keys.reduce(self) { value, key in
      guard case .object(let members) = value else { return .null }
      return members.first { $0.0 == key }?.1 ?? .null
    }
  }

  var items: [JSONValue] {
    if case .array(let items) = self { return items }
    return []
  }
}
