import ArgumentParser
import Bench
import Dashboard
import Diffing
import Files
import Foundation
import JSON
import Methods
import Organisms
import Reporting
import Scoring
import Worlds

struct InvestigateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "investigate",
    abstract: "Asks two models what a finetune hides, and says what, or that nothing can be said.",
    discussion: """
      An investigator of fixed rules may put some questions to both models, after it has seen what methods say, if any. \
      It says that something was planted only where so strong a finding is rare among finetunes in which nothing was: \
      those that you name, that are made for that, or the null pairs of a run of the bench.

      For example: assay investigate BASE FINETUNED --method prompt-battery --calibrate 9
      """)

  @OptionGroup var options: ProjectOptions
  @OptionGroup var pair: PairOptions

  @Option(
    name: .customLong("method"),
    help:
      "A method whose evidence is seen, as METHOD or METHOD@ACCESS; may be repeated. None if not given."
  )
  var methods: [String] = []

  @Option(help: "How many questions: each is one prompt to both models.")
  var budget = 50

  @Flag(help: "Only hears what the models say, instead of seeing what they expect.")
  var samples = false

  @Option(help: "The largest chance, among finetunes in which nothing was planted, of a verdict.")
  var level = 0.1

  @Option(
    help:
      "A run's trials: its null pairs are what findings are compared with, instead of --null and --calibrate."
  )
  var among: String?

  @OptionGroup var agent: AgentOptions

  @Option(
    help: "Writes a page for a browser: each question, and what was believed after it."
  )
  var html: String?

  @Flag(help: "Prints what was found as JSON.")
  var json = false

  func validate() throws {
    try GameOptions.check(budgets: [budget], level: level)
    guard pair.base != nil else { throw ValidationError("Name two folders, or one of a pair.") }
    guard !agent.isGiven || !samples && among == nil && !json && html == nil else {
      throw ValidationError("--agent goes without --samples, --among, --json and --html.")
    }
    guard !samples || methods.isEmpty else {
      throw ValidationError("--samples is for the models alone, without --method.")
    }
    guard budget > 0 || !samples else {
      throw ValidationError("--samples needs questions: --budget should be above 0.")
    }
    guard among == nil || pair.text == nil else {
      throw ValidationError(
        "--among compares with pairs that are given the world's text: leave out --text.")
    }
    guard among == nil || pair.nulls.isEmpty && pair.calibrate == 0 else {
      throw ValidationError(
        "--among goes without --null and --calibrate: pairs of one kind are compared.")
    }
  }

  func run() throws {
    if let html { try AtomicFile.check(URL(filePath: html), replacing: Page.start) }
    let models = try pair.models()
    models.notices.forEach(Notice.standardError)
    let chosen = try methods.map(AskedName.init)
    let investigation = try PairInvestigation(
      try pair.source(options, models), chosen.map { ($0.method, $0.access) },
      seed: pair.methodSeed)
    guard budget == 0 || !investigation.prompts.isEmpty else {
      throw ValidationError("There is nothing to ask the models: name prompts with --prompts.")
    }
    try checkPrompts(investigation)
    let isAsked: Void? = try agent.withAgent { try ask($0, $1, investigation, models) }
    if isAsked != nil { return }
    let arm = GameArm(
      samples ? .samples : chosen.isEmpty ? .probabilities : .methods(chosen.map(\.row)),
      budget: budget)
    let own = try finding(investigation, models, arm, "")
    let (nulls, origin) = try nulls(investigation, models, arm)
    let report = InvestigationReport(
      arm: arm, finding: own, nulls: nulls, nullsOrigin: origin, level: level)
    if let html { try write(report, models, investigation.prompts, to: html) }
    if json {
      return Console.showJSON(
        try JSON.encode(InvestigationRecord(report, tokenizer: models.tokenizer)))
    }
    let text = InvestigationText(
      report, tokenizer: models.tokenizer, prompts: investigation.prompts)
    if !own.steps.isEmpty { Console.show(text.trace + "\n") }
    Console.show(text.verdict)
  }

  /// A run's null pairs are comparable only with what is asked the same.
  private func checkPrompts(_ investigation: PairInvestigation) throws {
    guard among != nil else { return }
    guard try options.project.library().prompts().pool == investigation.prompts else {
      throw ValidationError(
        "--among compares with pairs that are asked the world's prompts, and these models are asked others: "
          + "use --null or --calibrate.")
    }
  }

  private func write(
    _ report: InvestigationReport, _ models: PairFolders, _ prompts: [[Int]], to path: String
  ) throws {
    var page = PairPage(
      .init(
        title: pair.title, base: pair.baseFolder, finetuned: pair.finetuned ?? "finetuned",
        notices: models.notices), tokenizer: models.tokenizer)
    page.add(report, prompts: prompts)
    page.add(SideBySide(models.base, models.finetuned, on: prompts))
    try AtomicFile.write(Data(page.html().utf8), to: URL(filePath: path))
    if !json { Console.show("Wrote \(path).\n") }
  }

  // MARK: An agent

  /// Lets an agent ask the pair, and every finetune in which nothing was planted.
  private func ask(
    _ agent: Agent, _ model: String, _ investigation: PairInvestigation, _ models: PairFolders
  ) throws {
    let own = try outcome(agent, investigation, models)
    for (call, reply) in own.moves { Console.show("> \(call)\n\(reply)\n") }
    guard !own.isOfServer else { throw ExitCode(2) }
    let text = VerdictText(
      own.verdict, tokenizer: models.tokenizer, prompts: investigation.prompts
    ).text
    Console.show("\(model): \(text)")
    var asked = 0, wrong = 0
    try pair.forEachNull(options, models) { null, _ in
      let other = try outcome(agent, investigation, null)
      // A server that does not answer would have every further finetune trained for nothing.
      guard !other.isOfServer else { throw ExitCode(2) }
      asked += 1
      if other.verdict.asserts { wrong += 1 }
    }
    Console.show(
      asked == 0
        ? "How often it is wrong is not known: --null and --calibrate ask it about finetunes in which nothing was planted."
        : "Of \(asked) finetunes in which nothing was planted it says so of \(wrong).")
  }

  private func outcome(
    _ agent: Agent, _ investigation: PairInvestigation, _ models: PairFolders
  ) throws -> Agent.Outcome {
    guard let tokenizer = models.tokenizer else {
      throw ValidationError("An agent reads words, and neither folder has a tokenizer.")
    }
    let session = QuestionSession(try investigation.witness(models), tokenizer, budget: budget)
    let evidence = zip(methods, try investigation.evidence(models)).map {
      "\($0)\n" + GameOptions.text($1, session)
    }
    let outcome = try agent.play(session, evidence: evidence.joined(separator: "\n"))
    outcome.warn()
    return outcome
  }

  // MARK: The investigator of fixed rules

  private func finding(
    _ investigation: PairInvestigation, _ models: PairFolders, _ arm: GameArm, _ title: String
  ) throws -> Investigator.Finding {
    let progress = Progress()
    defer { progress.finish() }
    let evidence = try investigation.evidence(models) { progress.show("\(title)\($0)") }
    progress.show("\(title)\(budget) questions")
    return try arm.investigator.finding(
      evidence, try investigation.witness(models), notesSteps: title.isEmpty)
  }

  /// What the same investigator found in the null pairs of a run.
  private func nulls(of run: String, _ arm: GameArm) throws -> [Double?] {
    let progress = CountProgress("null pairs asked")
    defer { progress.finish() }
    let trials = try TrialFile.read(URL(filePath: run)).filter(\.isNull)
    let game = try Game(options.workshop(), budgets: [arm.budget], sources: [arm.source])
    let cases = try game.cases(trials, report: progress.show)
    guard !cases.isEmpty else {
      throw ValidationError(
        "\(run): of no null pair of it is kept what \(arm.source) needs; 'assay bench' measures them."
      )
    }
    return cases.map(\.strength)
  }

  /// What the same investigator finds where nothing was planted, and whose these pairs are.
  private func nulls(_ investigation: PairInvestigation, _ models: PairFolders, _ arm: GameArm)
    throws -> ([Double?], String)
  {
    if let among { return (try nulls(of: among, arm), "null pairs of \(among)") }
    var strengths: [Double?] = []
    try pair.forEachNull(options, models) {
      strengths.append(try finding(investigation, $0, arm, "null \($1): ").strength)
    }
    return (strengths, "finetunes of this base in which nothing was planted")
  }
}

/// A method as people name it: with a level of access, or at its first.
private struct AskedName {
  let method: any DiffingMethod
  let access: AccessLevel

  init(_ name: String) throws {
    let row = MethodAtAccess(name)
    method = try Methods.chosen([row?.method ?? name])[0]
    access = row?.access ?? method.card.access[0]
    guard method.card.access.contains(access) else {
      let all = method.card.access.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("\(method.card.id) works at \(all), not at \(access.rawValue).")
    }
  }

  var row: MethodAtAccess { MethodAtAccess(method.card.id, access) }
}
