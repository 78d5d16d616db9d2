import ArgumentParser
import Foundation
import JSON

struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Prints the manual page: './assay manual > assay.1', or './assay manual | man -l -'.")

  @OptionGroup(title: "What is told") var log: LogOptions

  func run() throws {
    let help = try JSON.parse(Data(Assay._dumpHelp().utf8), file: "help")
    Console.show(try ManualPage(help).text)
  }
}

/// What the commands say of themselves, as a page for `man`.
struct ManualPage {
  let text: String

  /// - Parameter help: What `_dumpHelp` of ArgumentParser writes.
  init(_ help: JSONValue) throws {
    guard let command = help["command"] else { throw ValidationError("The commands say nothing.") }
    let commands = Self.items(command["subcommands"])
      .filter { $0["shouldDisplay"] != .bool(false) }
    text = """
      .TH ASSAY 1 "" "assay \(Assay.configuration.version)" "User Commands"
      .SH NAME
      assay \\- \(Self.roff(Self.string(command["abstract"])))
      .SH SYNOPSIS
      .B assay
      .I command
      [\\fIoptions\\fR]
      .SH DESCRIPTION
      \(Self.roff(Self.string(command["discussion"])))
      .SH COMMANDS
      \(commands.map { Self.section($0, of: "assay") }.joined(separator: "\n"))
      .SH EXIT STATUS
      0 if all went well; 1 if something did not hold, as a plant that is not installed; 2 for a mistake, with its \
      description on standard error; 3 from gate if something could not be measured.
      """
  }

  /// A command with its options, and what is below it.
  private static func section(_ command: JSONValue, of parent: String) -> String {
    let title = "\(parent) \(string(command["commandName"]))"
    let arguments = items(command["arguments"]).filter { $0["shouldDisplay"] != .bool(false) }
    let inner = items(command["subcommands"]).filter { $0["shouldDisplay"] != .bool(false) }
    return
      ([
        ".SS \(roff(title))", roff(string(command["abstract"])), ".PP",
        roff(string(command["discussion"])),
      ] + arguments.filter { name(of: $0) != "help" && name(of: $0) != "version" }.map(option)
      + inner.map { section($0, of: title) }).filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private static func option(_ argument: JSONValue) -> String {
    let value = string(argument["valueName"])
    let shown =
      switch string(argument["kind"]) {
      case "positional": "\\fI\(roff(value))\\fR"
      case "flag": "\\fB\(roff("--" + name(of: argument)))\\fR"
      default: "\\fB\(roff("--" + name(of: argument)))\\fR \\fI\(roff(value))\\fR"
      }
    let standard = string(argument["defaultValue"])
    let rest = standard.isEmpty ? "" : " (default: \(standard))"
    return ".TP\n\(shown)\n\(roff(string(argument["abstract"]) + rest))"
  }

  private static func name(of argument: JSONValue) -> String {
    string(argument["preferredName"]?["name"])
  }

  private static func string(_ value: JSONValue?) -> String {
    if case .string(let text)? = value { return text }
    return ""
  }

  private static func items(_ value: JSONValue?) -> [JSONValue] {
    if case .array(let items)? = value { return items }
    return []
  }

  /// Text as text: a hyphen that can be copied, characters beyond ASCII by number, no line that begins a request.
  static func roff(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let line = line.unicodeScalars.map(roff).joined()
      return line.hasPrefix(".") || line.hasPrefix("'") ? "\\&\(line)" : line
    }.joined(separator: "\n")
  }

  private static func roff(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\\": "\\e"
    case "-": "\\-"
    case _ where scalar.isASCII: String(scalar)
    default: "\\[u" + String(format: "%04X", scalar.value) + "]"
    }
  }
}
