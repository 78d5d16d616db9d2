import ArgumentParser
import Foundation
import JSON
import Bench
import Files

@main
struct Assay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assay",
    abstract: "Measures model-diffing methods on tiny transformers whose change is known.",
    discussion: """
      Start with 'assay bench': it plants organisms, runs every method on each pair and prints \
      which method recovered which planted change.
      """,
    version: "0.1.0",
    subcommands: [
      BenchCommand.self, ScoreCommand.self, ShowCommand.self, PlantCommand.self, NewCommand.self,
      DiffCommand.self, DoctorCommand.self, ListCommand.self, LogitsCommand.self,
      TokensCommand.self, FetchCommand.self, ITDACommand.self,
      VectorsCommand.self,
      ReportCommand.self, CompareCommand.self, PlanCommand.self, RatesCommand.self,
      TransferCommand.self,
      SpeedCommand.self, GateCommand.self, BlessCommand.self, ExportCommand.self,
      GameCommand.self, InvestigateCommand.self, PlayCommand.self, CompletionsCommand.self,
      ManualCommand.self, WorkerCommand.self, SuperviseCommand.self,
    ])

  /// Runs the tool.
  ///
  /// Exit codes: 0 if all went well; 1 if something did not hold, as a plant that is not installed; 2 for a
  /// mistake, with its description on standard error.
  static func main() {
    // A pipe that closes is an error to report, not a reason to die.
    signal(SIGPIPE, SIG_IGN)
    // A worker forks, for which it needs to have one thread; who started it tells it when to end.
    if CommandLine.arguments.dropFirst().first != WorkerCommand.configuration.commandName {
      Interruption.handle()
    }
    LogOptions.follow(CommandLine.arguments)
    do {
      try checkName(CommandLine.arguments.dropFirst().first)
      var command = try parseAsRoot()
      if let fault = Memory.limitFault {
        Notice.error(fault)
        leave(2)
      }
      do {
        try command.run()
      } catch let code as ExitCode {
        try Console.finish()
        throw code
      }
      try Console.finish()
      leave(0)
    } catch let error as Console.Lost {
      if !error.isClosed { Notice.error("\(error)") }
      leave(2)
    } catch let error as ValidationError {
      // What a command found wrong itself is no fault of how it was written: no usage.
      Notice.error(error.message)
      leave(2)
    } catch {
      let code = exitCode(for: error)
      if code == .success {
        Console.show(fullMessage(for: error))
        do { try Console.finish() } catch { leave(2) }
        leave(0)
      }
      if error is ExitCode { leave(code.rawValue) }
      let isUsage = code == .validationFailure
      if isUsage && !Notice.isJSON {
        Notice.write("\(Printable.lines(fullMessage(for: error)))\n")
      } else {
        Notice.error(isUsage ? message(for: error) : "\(error)")
      }
      leave(2)
    }
  }

  /// Ends the process at once: OpenBLAS waits for its threads when a process ends, for ever if the system gave
  /// it none, as where address space is short.
  private static func leave(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }

  /// A misspelt command is told the one that is meant.
  private static func checkName(_ word: String?) throws {
    let names = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    guard let word, !word.hasPrefix("-"), !names.contains(word) else { return }
    let hint = nearest(to: word, among: names).map { " Did you mean '\($0)'?" } ?? ""
    throw ValidationError("There is no command '\(word)'.\(hint) 'assay --help' lists them.")
  }
}
