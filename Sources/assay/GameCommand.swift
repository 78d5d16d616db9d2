import ArgumentParser
import Bench
import Foundation
import JSON
import Organisms
import Reporting
import Statistics

struct GameCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "game",
    abstract:
      "Says what each method is worth to somebody who has to decide: the five-questions game.",
    discussion: """
      An investigator of fixed rules sees one method's evidence, may put some questions to both models, and says what \
      was planted, or abstains; wrong claims on null pairs cost. Evidence is read from what 'assay bench' kept.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "A run's trials, as 'assay bench' writes them to Reports/local/.")
  var trials: String

  @Option(
    name: .customLong("budget"),
    help: "How many questions; may be repeated. 0, 5 and 50 if not given.")
  var budgets: [Int] = []

  @Option(help: "The largest chance, among null pairs, that a verdict may have.")
  var level = 0.1

  @Flag(help: "Plays on the held-out half instead of the other.")
  var heldOut = false

  @Option(
    name: .customLong("knowing"),
    help:
      "Plays with what this method says alone, as METHOD@ACCESS; may be repeated: then with all of them together.",
    transform: GameOptions.row)
  var together: [MethodAtAccess] = []

  @OptionGroup var agent: AgentOptions

  @Option(help: "With --agent: on how many pairs at most; they are from all over the run.")
  var pairs = 20

  @Flag(help: "Prints what was found of each pair, a line of JSON each.")
  var json = false

  func validate() throws {
    try GameOptions.check(budgets: budgets, level: level)
    guard pairs > 0 else { throw ValidationError("--pairs should be at least 1.") }
  }

  func run() throws {
    let trials = GameOptions.half(
      try TrialFile.read(URL(filePath: trials)), isHeldOut: heldOut)
    let cases = try cases(trials)
    guard !cases.isEmpty else { throw GameOptions.nothingKept }
    if json {
      for one in cases { Console.showJSON(try JSON.encode(one)) }
      return
    }
    let table = GameTable(GameSummary(cases, level: level))
    Console.show(table.text + "\n\n" + table.legend)
    if let warning = table.warning { Notice.standardError(warning) }
  }

  /// Pairs after which a server that answers none of them is given up.
  private static let faultsInARow = 3

  private func cases(_ trials: [Trial]) throws -> [Game.Case] {
    let progress = CountProgress("pairs decided")
    defer { progress.finish() }
    let budgets = budgets.isEmpty ? agent.isGiven ? [5] : [0, 5, 50] : budgets
    let sources: [GameArm.Source]? = together.isEmpty ? nil : [.methods(together)]
    let game = try Game(options.workshop(), budgets: budgets, sources: sources)
    guard let (agent, model) = try agent.agent() else {
      return try game.cases(trials, report: progress.show)
    }
    var faults = 0
    return try budgets.flatMap { budget in
      try game.cases(
        trials, arm: GameArm(.agent(model), budget: budget), count: pairs, report: progress.show
      ) { pair, session in
        let evidence = together.compactMap { row in
          pair.evidence[row].map { "\(row)\n" + GameOptions.text($0, session) }
        }
        let outcome = try agent.play(session, evidence: evidence.joined(separator: "\n"))
        faults = outcome.isOfServer ? faults + 1 : 0
        if let fault = outcome.fault, faults >= Self.faultsInARow { throw ValidationError(fault) }
        outcome.warn()
        return outcome.verdict
      }
    }
  }
}
