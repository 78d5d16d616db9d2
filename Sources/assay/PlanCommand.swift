import ArgumentParser
import Bench
import Diffing
import Foundation
import Organisms
import Reporting
import Statistics

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Says how many organisms and bases a difference between methods needs.",
    discussion: """
      From a finished run: how much two methods' difference scatters over families, organisms and bases decides what \
      a run of any size can see, at 5 % error and 80 % power.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "A run's trials; Reports/local/standard.jsonl if not given.")
  var trials: String?

  @Option(help: "The difference between two methods' means that is to be seen.")
  var gap = 0.1

  func validate() throws {
    guard gap > 0, gap.isFinite else { throw ValidationError("--gap has to be above 0.") }
  }

  func run() throws {
    let summary = BenchSummary(developmentOf: try options.trials(trials))
    let table = PlanTable(StudyPlan(summary), gap: gap)
    guard let text = table.text else {
      throw ValidationError(
        "The run has no two methods that answer a question on two organisms, so it says nothing of others."
      )
    }
    Console.show(text)
  }
}
