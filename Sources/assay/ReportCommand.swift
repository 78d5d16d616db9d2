import ArgumentParser
import Bench
import Dashboard
import Foundation
import Organisms
import Reporting
import Statistics

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Makes the report of a run from its trials; nothing is measured or scored.",
    discussion:
      """
      'assay report Reports/local/standard.jsonl > standard.md' is what bench writes beside them, but for the heading. \
      Other formats have every mean with its interval: csv and json a row each (Fixtures/results.schema.json), latex a \
      table a level of access. html is a page for a browser, one file, with what methods said as far as it is kept here: \
      'assay report Reports/local/smoke.jsonl --format html > smoke.html'. A page can have more: --rates how often each \
      method recovers a plant, --transfer RUN whether a run of models of another size ranks methods alike.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "A run's trials, as 'assay bench' writes them to Reports/local/.")
  var trials: String

  @Option(help: "The heading; the file's name if not given.")
  var title: String?

  @Option(help: "What is printed: markdown, csv, latex or json.")
  var format: ReportFormat = .markdown

  @Flag(
    help: "A page also says how often methods recover a plant, by a hierarchical model: minutes.")
  var rates = false

  @Option(
    name: .customLong("transfer"),
    help:
      "A page also says whether this run of models of another size ranks methods alike; may be repeated."
  )
  var others: [String] = []

  func validate() throws {
    guard format == .html || !rates && others.isEmpty else {
      throw ValidationError(
        "--rates and --transfer are for --format html; './assay rates' and './assay transfer' print tables."
      )
    }
  }

  func run() throws {
    let url = URL(filePath: trials)
    let own = try TrialFile.read(url)
    switch format {
    case .markdown: try show(own, url)
    case .csv: show(ResultTable(own).table.csv(lineEnd: "\n"))
    case .latex: show(ResultTable(own).latex)
    case .json: show(ResultTable(own).json)
    case .html: show(try page(own, url))
    }
  }

  /// Prints a text that ends with its last line.
  private func show(_ text: String) { Console.show(String(text.dropLast())) }

  private func show(_ own: [Trial], _ url: URL) throws {
    let orderings = try PublishedOrderings.read(options.project.orderings)
    if orderings == nil {
      Notice.standardError(
        "there is no \(options.project.orderings.path), so no published ordering is checked; --root names a checkout"
      )
    }
    let heading = heading(url)
    Console.show(
      BenchReport(own, title: heading, orderings: orderings).markdown.dropLast().description)
  }

  private func heading(_ url: URL) -> String {
    title ?? "Assay: \(url.deletingPathExtension().lastPathComponent)"
  }

  /// The page of a run, with what methods said where this project keeps it.
  private func page(_ own: [Trial], _ url: URL) throws -> String {
    let workshop = try options.workshop()
    return try BenchPage(
      own, title: heading(url),
      commands: .init(
        show: "./assay show\(options.suffix)", bench: "./assay bench\(options.suffix)"),
      kept: KeptCells(workshop), rates: rates ? SamplerSettings() : nil,
      others: try others.map { try NamedRun(URL(filePath: $0)) }
    ).html()
  }
}

/// How a report is written.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
  case markdown, csv, latex, json, html
}
