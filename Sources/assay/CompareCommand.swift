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
      after. What one of them alone has is named and left out.
      """)

  @Argument(help: "The trials of before.")
  var before: String

  @Argument(help: "The trials of after.")
  var after: String

  func run() throws {
    let comparison = RunComparison(
      try TrialFile.read(URL(filePath: before)), try TrialFile.read(URL(filePath: after)))
    guard comparison.shared > 0 else {
      throw ValidationError("The runs have no planted cell in common.")
    }
    Console.show(ComparisonTable(comparison).text)
  }
}
