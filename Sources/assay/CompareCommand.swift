import ArgumentParser
import Bench
import Foundation
import Reporting
import Statistics

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares two runs, plant by plant, and says which differences are clear.",
    discussion: """
      Both are files of trials, as 'assay bench' writes them to Reports/local/: of a change of a method, before and \
      after. Or both are ledgers, of which every organism counts as a family. What one of them alone has is named and \
      left out.
      """)

  @OptionGroup(title: "What is told") var log: LogOptions

  @Argument(help: "The trials of before, or the ledger.")
  var before: String

  @Argument(help: "The trials of after, or the ledger.")
  var after: String

  func run() throws {
    let urls = [before, after].map { URL(filePath: $0) }
    let areLedgers = urls.map { $0.pathExtension == "json" }
    guard areLedgers[0] == areLedgers[1] else {
      throw ValidationError(
        "One is a ledger (.json), the other a run (.jsonl): 'assay gate --against LEDGER --trials RUN' judges a run."
      )
    }
    let runs = try urls.map { areLedgers[0] ? try ledger($0) : try TrialFile.read($0) }
    let comparison = RunComparison(runs[0], runs[1])
    guard comparison.shared > 0 else {
      throw ValidationError("The runs have no planted cell in common.")
    }
    Console.show(ComparisonTable(comparison).text)
  }

  private func ledger(_ url: URL) throws -> [Trial] {
    guard let ledger = try Ledger.read(url) else {
      throw ValidationError("\(url.path): there is no such ledger.")
    }
    return ledger.trials
  }
}
