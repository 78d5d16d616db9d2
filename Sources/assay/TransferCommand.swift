import ArgumentParser
import Bench
import Foundation
import Reporting

struct TransferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transfer",
    abstract: "Says whether a ranking of methods on models of one size holds on those of another.",
    discussion: """
      Each argument is a file of trials, as 'assay bench' writes them to Reports/local/, called by its name on the page; \
      the smallest models first. 'assay bench --tier transfer --base-size medium' makes one, 'assay bench --tier real' \
      the last.
      """)

  @OptionGroup(title: "What is told") var log: LogOptions

  @Argument(help: "Two runs or more.")
  var runs: [String]

  func validate() throws {
    guard runs.count > 1 else { throw ValidationError("Name two runs or more.") }
  }

  func run() throws {
    let runs = try runs.map { try NamedRun(URL(filePath: $0)) }
    guard Set(runs.map(\.name)).count == runs.count else {
      throw ValidationError("Two runs have one name: call their files after the sizes.")
    }
    Console.show(TransferReport(runs).text)
  }
}
