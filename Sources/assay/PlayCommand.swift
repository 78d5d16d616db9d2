import ArgumentParser
import Bench
import Diffing
import Foundation
import Reporting
import Scoring
import Tensors
import Transformers

struct PlayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "play",
    abstract: "Lets you play the five-questions game: what was planted, if anything was?",
    discussion: """
      A pair of a run of the bench is opened, and you are not told which. You may put some questions to its two models, and \
      say what was planted; then you see the truth, and what the investigator of fixed rules says of it with as many questions.

      For example: assay play Reports/local/smoke.jsonl --knowing prompt-battery@pool
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "A run's trials, as 'assay bench' writes them to Reports/local/.")
  var trials: String

  @Option(help: "How many questions you may ask.")
  var budget = 5

  @Option(
    help: "Shows what a method says of the pair, as METHOD@ACCESS; may be repeated.",
    transform: GameOptions.row)
  var knowing: [MethodAtAccess] = []

  @Option(help: "The largest chance, among null pairs, of a verdict of the investigator's.")
  var level = 0.1

  @Option(help: "Decides which pair; another each time if not given.")
  var seed: UInt64?

  @Flag(help: "Plays on the held-out half instead of the other.")
  var heldOut = false

  func validate() throws { try GameOptions.check(budgets: [budget], level: level) }

  func run() throws {
    let all = GameOptions.half(try TrialFile.read(URL(filePath: trials)), isHeldOut: heldOut)
    try GameOptions.check(knowing, among: all)
    let arm = GameArm(knowing.isEmpty ? .probabilities : .methods(knowing), budget: budget)
    let game = try Game(options.workshop(), budgets: [budget], sources: [arm.source])
    let pair = try chosen(all, game)
    let session = game.session(pair, budget: budget)
    Console.show(
      "You have \(budget) questions to a base and a finetune of it. Moves:\n\(SessionMove.help)")
    for row in knowing { show(row, pair, session) }
    let verdict = try play(session)
    let end = GameEndText(pair, session.tokenizer)
    Console.show("\n\(end.truth)\n\nYou: \(end.points(verdict))")
    let report = try report(pair, arm, all, game)
    let text = InvestigationText(
      report, tokenizer: session.tokenizer, prompts: session.witness.prompts)
    Console.show(
      "\nThe investigator of fixed rules: \(end.points(report.verdict ?? .abstention))\n\(text.verdict)"
    )
  }

  /// What a method says of the pair.
  private func show(_ row: MethodAtAccess, _ pair: Game.OpenedPair, _ session: QuestionSession) {
    guard let evidence = pair.evidence[row] else {
      return Notice.standardError("\(row) was not asked of this pair.")
    }
    Console.show("\n\(row)\n" + GameOptions.text(evidence, session))
  }

  /// Reads moves until there is a verdict; the end of the input is one.
  private func play(_ session: QuestionSession) throws -> Verdict {
    while session.verdict == nil {
      if !Notice.isQuiet, !Notice.isJSON { Notice.write("> ") }
      guard let line = readLine() else { return .abstention }
      guard line.contains(where: { !$0.isWhitespace }) else { continue }
      do {
        Console.show(try session.make(SessionMove(line, session.tokenizer)))
      } catch let fault as MoveFault {
        Console.show("\(fault)")
      }
    }
    return session.verdict ?? .abstention
  }

  /// What the investigator of fixed rules finds with as much.
  private func report(
    _ pair: Game.OpenedPair, _ arm: GameArm, _ trials: [Trial], _ game: Game
  ) throws -> InvestigationReport {
    let progress = CountProgress("pairs decided")
    defer { progress.finish() }
    let cases = try game.cases(trials, report: progress.show)
    let own = cases.first { $0.pair == pair.trial.pair && $0.seeds == pair.trial.seeds }
    return InvestigationReport(
      arm: arm,
      finding: try arm.investigator.finding(
        knowing.compactMap { pair.evidence[$0] }, pair.witness),
      nulls: own.map { cases.nulls(beside: $0) } ?? [],
      nullsOrigin: "null pairs of other families", level: level)
  }

  /// A pair, planted or not with even chances.
  private func chosen(_ trials: [Trial], _ game: Game) throws -> Game.OpenedPair {
    // Which seeds bring plants is not to be told by their numbers.
    var generator = SeededGenerator(seed: seed ?? .random(in: 0...UInt64.max), for: "play")
    let groups = Game.groups(trials), isNull = generator.index(below: 2) == 0
    let order = generator.permutation(groups.count).map { groups[$0] }
    let some = order.filter { $0.first?.isNull == isNull }
    for group in some + order.filter({ $0.first?.isNull != isNull }) {
      if let pair = try game.open(group) { return pair }
    }
    throw GameOptions.nothingKept
  }
}
