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

  @Option(
    help: "With --agent: on how many pairs at most, from all over the run; 20 if not given.")
  var pairs: Int?

  @Flag(help: "Prints what was found of each pair, a line of JSON each.")
  var json = false

  func validate() throws {
    try GameOptions.check(budgets: budgets, level: level)
    guard pairs ?? 1 > 0 else { throw ValidationError("--pairs should be at least 1.") }
    guard pairs == nil || agent.isGiven else {
      throw ValidationError("--pairs is for --agent.")
    }
  }

  func run() throws {
    let trials = GameOptions.half(
      try TrialFile.read(URL(filePath: trials)), isHeldOut: heldOut)
    try GameOptions.check(together, among: trials)
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

  private func cases(_ trials: [Trial]) throws -> [Game.Case] {
    let progress = CountProgress("pairs decided")
    defer { progress.finish() }
    let played = try agent.withAgent { try cases(trials, $0, $1, report: progress.show) }
    if let played { return played }
    return try Game(
      options.workshop(), budgets: budgets.isEmpty ? [0, 5, 50] : budgets,
      sources: together.isEmpty ? nil : [.methods(together)]
    ).cases(trials, report: progress.show)
  }

  /// Pairs after which a server that answers none of them is not asked any more.
  private static let faultsInARow = 3

  private func cases(
    _ trials: [Trial], _ agent: Agent, _ model: String, report: (Int, Int) -> Void
  ) throws -> [Game.Case] {
    let budgets = budgets.isEmpty ? [5] : budgets
    let known = together.map(\.description).joined(separator: "+")
    let name = together.isEmpty ? model : "\(model) knowing \(known)"
    let game = try Game(
      options.workshop(), budgets: budgets,
      sources: [together.isEmpty ? .agent(model) : .methods(together)])
    var faults = 0, missing = 0
    defer {
      if missing > 0 {
        Notice.standardError("\(missing) pairs do not count: the agent's server did not answer.")
      }
    }
    return try budgets.flatMap { budget in
      try game.cases(
        trials, arm: GameArm(.agent(name), budget: budget), count: pairs ?? 20, report: report
      ) { pair, session in
        guard faults < Self.faultsInARow else {
          missing += 1
          return nil
        }
        // Who is to know what a method says does not play where it was not asked.
        guard together.allSatisfy({ pair.evidence[$0] != nil }) else { return nil }
        let evidence = together.compactMap { row in
          pair.evidence[row].map { "\(row)\n" + GameOptions.text($0, session) }
        }
        let outcome = try agent.play(session, evidence: evidence.joined(separator: "\n"))
        outcome.warn()
        (faults, missing) = outcome.isOfServer ? (faults + 1, missing + 1) : (0, missing)
        // Who was not answered has said nothing, which is no abstention.
        return outcome.isOfServer ? nil : outcome.verdict
      }
    }
  }
}
