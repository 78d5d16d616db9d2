import ArgumentParser
import Bench

/// What is told on standard error, of every command.
struct LogOptions: ParsableArguments {
  /// How it is written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json
  }

  @Flag(help: "Also tells what is done: each pair that is opened, each method that is asked.")
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
}
