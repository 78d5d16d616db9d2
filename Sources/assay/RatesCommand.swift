import ArgumentParser
import Bench
import Diffing
import Foundation
import JSON
import Organisms
import Reporting
import Statistics

struct RatesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rates",
    abstract: "Says how often methods recover a plant, by a hierarchical model of a run.",
    discussion: """
      Few plants and many methods: a method's rate is drawn towards the others' as far as the data leave it open. With \
      --question, also the probability that each method is better than each other one.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "A run's trials; Reports/local/standard.jsonl if not given.")
  var trials: String?

  @Option(
    help: "Also compares the methods pair by pair at this question.", transform: Self.question)
  var question: Question?

  private static func question(_ word: String) throws -> Question {
    if let question = Question(rawValue: word) { return question }
    let all = Question.allCases.map(\.rawValue)
    let hint = nearest(to: word, among: all).map { " Did you mean '\($0)'?" } ?? ""
    throw ValidationError("There is no question '\(word)'.\(hint)")
  }

  @Option(help: "Draws of each of four chains, after as many that warm up.")
  var draws = 1000

  func validate() throws {
    guard draws >= 100 else { throw ValidationError("--draws should be at least 100.") }
  }

  func run() throws {
    let summary = BenchSummary(developmentOf: try options.trials(trials))
    let settings = SamplerSettings(warmup: draws, draws: draws)
    var isEmpty = true
    for access in AccessLevel.allCases {
      let table = RateTable(summary, access, settings)
      guard let text = table.text else { continue }
      isEmpty = false
      Console.show(text + "\n")
      if let question, let pairs = table.pairs(question) { Console.show(pairs.fitted + "\n") }
    }
    guard !isEmpty else { throw ValidationError("No two methods of the run answer a question.") }
    Console.show(RateTable.legend)
  }
}

extension ProjectOptions {
  /// The trials of a run: those of the standard tier if no file is named.
  func trials(_ path: String?) throws -> [Trial] {
    if let path { return try TrialFile.read(URL(filePath: path)) }
    let standard = project.localReports.appending(path: "standard.jsonl")
    guard FileManager.default.fileExists(atPath: standard.path) else {
      throw ValidationError(
        "There is no run of the standard tier yet: './assay bench --tier standard' makes one, or name a file of trials, "
          + "as Reports/local/smoke.jsonl.")
    }
    return try TrialFile.read(standard)
  }
}
