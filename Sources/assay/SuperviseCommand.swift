import ArgumentParser
import Bench
import Foundation

/// What the bench starts a program of somebody's under; nobody calls it by hand.
struct SuperviseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "supervise", abstract: "Runs a program under limits for 'bench', which starts it.",
    shouldDisplay: false)

  @Option var seconds: Double
  @Option var memory: Int
  @Option var log: String
  @Flag(name: .customLong("logs-output")) var logsOutput = false
  @Argument(parsing: .postTerminator) var words: [String]

  func run() throws {
    try Supervision.run(
      words, limits: ProgramLimits(seconds: seconds, memory: memory), log: URL(filePath: log),
      logsOutput: logsOutput)
  }
}
