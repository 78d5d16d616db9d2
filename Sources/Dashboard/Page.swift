internal import Foundation
package import JSON
internal import Reporting

/// One HTML file that shows something without a server, a network or another file.
///
/// What it shows is data of the type `application/json`, which no browser runs. The program that draws it is the bundle that
/// `.ci/page` makes of `Web/`; the page's policy lets that text run and nothing else, and lets nothing be fetched.
package struct Page {
  private let title: String
  private let data: JSONValue
  /// What every page starts with, so that no other file is taken for one.
  package static let start = "<!doctype html>\n<!-- made by Assay -->\n"
  /// Parts of the data that are read when somebody opens them, by name.
  private let parts: [(name: String, json: String)]

  /// - Parameters:
  ///   - title: What a browser's tab says.
  ///   - data: What is read at once.
  ///   - parts: What is read when it is looked at: names and JSON.
  package init(title: String, data: JSONValue, parts: [(name: String, json: String)] = []) {
    self.title = title
    self.data = data
    self.parts = parts
  }

  /// The file's text.
  ///
  /// - Throws: `MissingBundle`.
  package func html() throws -> String {
    let bundle = try PageBundle()
    let data: JSONValue = .object([("parts", .texts(parts.map(\.name))), ("data", data)])
    let blocks =
      [Self.block(JSON.plainText(of: data), id: "data")]
      + parts.enumerated().map { Self.block($1.json, id: "part-\($0)") }
    return Self.start + """
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="\(bundle.policy)">
      <title>\(Self.escaped(Printable.line(title)))</title>
      <style>\(bundle.style)</style>
      </head>
      <body>
      <div id="page"><noscript>This page draws its data with the script that it holds. Without scripts, \
      './assay report' prints the same figures as tables.</noscript></div>
      \(blocks.joined(separator: "\n"))
      <script>\(bundle.script)</script>
      <!--
      \(bundle.licences)-->
      </body>
      </html>

      """
  }

  /// Text as text of HTML.
  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }

  /// JSON that no text within can end: outside of its strings JSON has no `<`, and within them an escape means the same.
  private static func block(_ json: String, id: String) -> String {
    "<script type=\"application/json\" id=\"\(id)\">"
      + json.replacing("<", with: "\\u003c") + "</script>"
  }
}

/// The page's program and looks, as `.ci/page` makes them of `Web/`.
private struct PageBundle {
  let script, style, policy, licences: String

  init() throws {
    script = try Self.text("page.js")
    style = try Self.text("page.css")
    policy = try Self.text("policy.txt")
    licences = try Self.text("licences.txt")
  }

  private static func text(_ file: String) throws -> String {
    guard
      let url = Bundle.module.url(
        forResource: file, withExtension: nil, subdirectory: "Resources"),
      let text = try? String(contentsOf: url, encoding: .utf8)
    else { throw MissingBundle(file: file) }
    return text
  }
}

/// A part of the page's program that is not beside the tool.
package struct MissingBundle: Error, CustomStringConvertible {
  let file: String

  package var description: String {
    "'\(file)', a part of the page's program, is not beside this tool: it lies in Sources/Dashboard/Resources, and a build "
      + "puts it there."
  }
}
