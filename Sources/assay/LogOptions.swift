import ArgumentParser
import Bench

/// What is told on standard error, of every command.
struct LogOptions: ParsableArguments {
  /// How it is written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json
  }

  @Flag(help: "Also tells what 'bench' does, pair by pair.")
  var verbose = false

  @Flag(help: "Tells errors alone: no progress, no notices.")
  var quiet = false

  @Option(help: "How notices and progress are written on standard error.")
  var logFormat = Format.text

  func validate() throws {
    guard !(verbose && quiet) else {
      throw ValidationError("--verbose and --quiet exclude each other.")
    }
    Notice.configure(
      quiet ? .quiet : verbose ? .verbose : .normal, isJSON: logFormat == .json)
  }

  /// Takes the format for what is wrong with the arguments themselves, before they are read.
  static func follow(_ arguments: [String]) {
    let name = "--log-format"
    let next = arguments.firstIndex(of: name).map { arguments.dropFirst($0 + 1).first }
    let isJSON = next == Format.json.rawValue || arguments.contains("\(name)=json")
    Notice.configure(.normal, isJSON: isJSON)
  }
}
