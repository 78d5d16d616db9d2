import ArgumentParser
import Bench
import Dashboard
import Diffing
import Files
import Foundation
import JSON
import Methods
import Reporting
import Transformers

/// What 'diff' compares where models are behind servers.
struct EndpointOptions: ParsableArguments {
  @Option(
    name: .customLong("endpoint"),
    help: ArgumentHelp(
      "A model behind a server that speaks OpenAI's protocol: base=URL,MODEL and finetuned=URL,MODEL, instead of folders.",
      discussion: """
        The address ends where '/chat/completions' follows, as in http://127.0.0.1:8000/v1. Methods that look at answers \
        alone are run. Keys are read from ASSAY_BASE_KEY and ASSAY_FINETUNED_KEY, or OPENAI_API_KEY.
        """,
      valueName: "side=url,model"))
  var definitions: [String] = []

  @Option(help: "With --endpoint: a new file for everything that was asked and answered.")
  var transcript: String?

  @Option(
    name: .customLong("endpoint-seconds"),
    help: "With --endpoint: how long one request may take.")
  var seconds = 120.0

  var isGiven: Bool { !definitions.isEmpty }

  /// Refuses what does not go together.
  func check(_ command: DiffCommand) throws {
    guard isGiven else {
      guard transcript == nil else { throw ValidationError("--transcript is for --endpoint.") }
      return
    }
    guard transcript == nil || transcript != command.html else {
      throw ValidationError("--transcript and --html name one file.")
    }
    guard seconds > 0, seconds < 1e5 else {
      throw ValidationError("--endpoint-seconds should be above 0.")
    }
    _ = try endpoints
    let others =
      command.pair.base != nil || !command.levels.isEmpty || !command.pair.nulls.isEmpty
      || command.pair.calibrate > 0 || command.pair.text != nil || command.cost || command.weights
      || command.pair.plain || command.pair.insist || command.exhibits
    guard !others else {
      throw ValidationError(
        "--endpoint goes without folders, and with --method, --prompts, --method-seed, --transcript, --html, --json "
          + "and --top alone.")
    }
  }

  /// Both models.
  private var endpoints: (base: Endpoint, finetuned: Endpoint) {
    get throws {
      let all = try definitions.map { text in
        do { return try Endpoint(text) } catch { throw ValidationError("\(error)") }
      }
      guard all.count == 2, let base = all.first(where: { $0.side == .base }),
        let finetuned = all.first(where: { $0.side == .finetuned })
      else {
        throw ValidationError("--endpoint is given twice, once for base and once for finetuned.")
      }
      return (base, finetuned)
    }
  }

  /// The methods that can be run: those that look at answers alone.
  private func methods(_ chosen: [any DiffingMethod], _ command: DiffCommand) throws
    -> [any AnswerMethod]
  {
    let able = chosen.compactMap { $0 as? any AnswerMethod }
    let known = Set(able.map(\.card.id))
    if !command.methods.isEmpty, let other = chosen.first(where: { !known.contains($0.card.id) }) {
      let all = try Methods.chosen([]).compactMap { $0 as? any AnswerMethod }
      throw ValidationError(
        "\(other.card.id) needs more than answers; from endpoints these work: "
          + "\(all.map(\.card.id).joined(separator: ", ")).")
    }
    return able
  }

  /// Asks both models and prints what methods make of the answers.
  func run(_ command: DiffCommand, _ chosen: [any DiffingMethod]) throws {
    let (base, finetuned) = try endpoints
    let methods = try methods(chosen, command)
    let prompts = try EndpointPair.prompts(command.options.project, file: command.pair.prompts)
    if let html = command.html {
      try AtomicFile.check(URL(filePath: html), replacing: Page.start)
    }
    let transcript = try transcript.map { try Transcript(URL(filePath: $0)) }
    Endpoint.avoidProxies([base, finetuned])
    let terms = EndpointClient.Terms()
    func client(_ endpoint: Endpoint) -> EndpointClient {
      EndpointClient(
        endpoint, patience: .init(seconds: seconds), transcript: transcript, terms: terms)
    }
    defer { transcript?.tellLosses() }
    let progress = CountProgress("prompts answered")
    let pair = EndpointPair(
      client(base), client(finetuned), prompts: prompts, seed: command.pair.methodSeed,
      progress: progress.show)
    var replies: [Answered] = []
    for method in methods {
      let start = Date()
      let reply = try pair.reply(to: method)
      progress.finish()
      reply.notices.forEach(Notice.standardError)
      try show(reply, method, command)
      replies.append(Answered(method, reply, seconds: Date().timeIntervalSince(start)))
    }
    guard let html = command.html else { return }
    try AtomicFile.write(
      Data(page(replies, base, finetuned).html().utf8), to: URL(filePath: html))
    if !command.json { Console.show("Wrote \(html).") }
  }

  /// A method with what it said.
  private struct Answered {
    let method: any AnswerMethod
    let reply: EndpointPair.Reply
    let seconds: Double

    init(_ method: any AnswerMethod, _ reply: EndpointPair.Reply, seconds: Double) {
      (self.method, self.reply, self.seconds) = (method, reply, seconds)
    }
  }

  private func page(_ replies: [Answered], _ base: Endpoint, _ finetuned: Endpoint) -> PairPage {
    var page = PairPage(
      .init(
        title: "\(base.model) and \(finetuned.model)", base: base.description,
        finetuned: finetuned.description,
        notices: [
          "Both models are behind servers: a token here is a word or a mark of their answers."
        ]),
      tokenizer: nil)
    for item in replies {
      item.reply.notices.forEach { page.add(notice: $0) }
      page.use(item.reply.tokenizer)
      page.add(
        .init(
          card: item.method.card, access: .pool, evidence: item.reply.evidence, standing: nil,
          seconds: item.seconds, work: Work()), text: item.reply.prompts)
    }
    return page
  }

  private func show(_ reply: EndpointPair.Reply, _ method: any AnswerMethod, _ command: DiffCommand)
    throws
  {
    if command.json {
      struct Line: Encodable {
        let method: String
        let access: AccessLevel
        let words: [String]
        let evidence: Evidence
      }
      let words = (0..<reply.tokenizer.count).map(reply.tokenizer.word)
      let line = Line(
        method: method.card.id, access: .pool, words: words, evidence: reply.evidence)
      return try PackedNumbers.$writesLists.withValue(true) {
        Console.showJSON(try JSON.encode(line))
      }
    }
    Console.show("\(method.card.id) (answers)")
    Console.show(
      EvidenceText(
        reply.evidence, unit: method.card.magnitude?.unit, tokenizer: reply.tokenizer,
        prompts: reply.prompts, top: command.top, standing: { _ in nil }
      ).text)
    let text = ExhibitText(tokenizer: reply.tokenizer, prompts: reply.prompts)
    for exhibit in reply.evidence.exhibits {
      Console.show(text.lines(exhibit).map { "    \($0)" }.joined(separator: "\n"))
    }
  }
}

extension Transcript {
  /// Says what of it is missing.
  func tellLosses() {
    guard lostCount > 0 else { return }
    Notice.standardError("\(lostCount) exchanges could not be noted in the transcript.")
  }
}
