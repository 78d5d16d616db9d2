import ArgumentParser
import Bench
import Foundation

@main
struct Assay: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assay",
    abstract: "Measures model-diffing methods on tiny transformers whose change is known.",
    discussion: """
      Start with 'assay bench': it plants organisms, runs every method on each pair and prints \
      which method recovered which planted change.
      """,
    version: "0.1.0",
    subcommands: [
      BenchCommand.self, PlantCommand.self, NewCommand.self, DiffCommand.self, ListCommand.self,
      LogitsCommand.self, VectorsCommand.self,
      BenchmarkCommand.self, BlessCommand.self,
    ])

  /// Runs the tool; a user's mistake ends with its description and exit code 2.
  static func main() async {
    // A pipe that closes is an error to report, not a reason to die.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      let code = exitCode(for: error)
      if error is ExitCode || code == .success || code == .validationFailure {
        exit(withError: error, usage: code == .validationFailure)
      }
      FileHandle.standardError.write(Data("assay: \(error)\n".utf8))
      Foundation.exit(2)
    }
  }

  private static func exit(withError error: any Error, usage: Bool) -> Never {
    guard usage else { exit(withError: error) }
    FileHandle.standardError.write(Data((fullMessage(for: error) + "\n").utf8))
    Foundation.exit(2)
  }
}

/// Where the checkout is, for every command that needs it.
struct ProjectOptions: ParsableArguments {
  @Option(
    help:
      "The checkout, which holds Organisms/ and Fixtures/; ASSAY_ROOT or this folder if not given."
  )
  var root = ProcessInfo.processInfo.environment["ASSAY_ROOT"] ?? "."

  @Option(
    name: .customLong("organisms"),
    help:
      "A folder with organism files of your own, and one world in Worlds/, instead of Organisms/.")
  var folder: String?

  var project: Project {
    Project(
      root: URL(filePath: root, directoryHint: .isDirectory),
      organisms: folder.map { URL(filePath: $0, directoryHint: .isDirectory) })
  }
}
