import ArgumentParser
import Bench
import Foundation
import Organisms
import Reporting
import Statistics

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Makes the report of a run from its trials; nothing is measured or scored.",
    discussion:
      "'assay report Reports/local/standard.jsonl > standard.md' is what bench writes beside them, but for the heading."
  )

  @OptionGroup var options: ProjectOptions

  @Argument(help: "A run's trials, as 'assay bench' writes them to Reports/local/.")
  var trials: String

  @Option(help: "The heading; the file's name if not given.")
  var title: String?

  func run() throws {
    let url = URL(filePath: trials)
    let own = try TrialFile.read(url)
    let orderings = try PublishedOrderings.read(options.project.orderings)
    if orderings == nil {
      Notice.standardError(
        "there is no \(options.project.orderings.path), so no published ordering is checked; --root names a checkout"
      )
    }
    let heading = title ?? "Assay: \(url.deletingPathExtension().lastPathComponent)"
    Console.show(
      BenchReport(own, title: heading, orderings: orderings).markdown.dropLast().description)
  }
}
