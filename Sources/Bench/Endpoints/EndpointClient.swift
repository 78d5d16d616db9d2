internal import Foundation
internal import JSON
internal import Synchronization

#if canImport(FoundationNetworking)
  internal import FoundationNetworking
#endif

/// Asks a model behind a server, again where the server is busy, and believes of what comes back only what fits the question.
package final class EndpointClient: Sendable {
  /// What is asked of a prompt.
  package struct Question: Hashable, Sendable {
    let prompt: String
    let answers, length: Int
  }

  /// How long to wait and how often to ask.
  package struct Patience: Sendable {
    /// Seconds for one request.
    let seconds: Double
    let tries: Int
    /// Seconds before the second try; twice as many before each further one.
    let pause: Double

    package init(seconds: Double = 120, tries: Int = 5, pause: Double = 0.5) {
      (self.seconds, self.tries, self.pause) = (seconds, tries, pause)
    }
  }

  /// What both clients of a comparison share: on what terms models are asked, and whether they still are.
  package final class Terms: Sendable {
    private let state = Mutex<(isPlain: Bool, isStopped: Bool)>((false, false))

    package init() {}

    /// Whether only what every server knows is asked: no number of answers, no seed.
    package var isPlain: Bool { state.withLock { $0.isPlain } }
    var isStopped: Bool { state.withLock { $0.isStopped } }
    func makePlain() { state.withLock { $0.isPlain = true } }
    func stop() { state.withLock { $0.isStopped = true } }
  }

  /// The terms changed while models were asked: what was answered on the old ones does not compare with what comes.
  struct TermsChanged: Error {}

  private let endpoint: Endpoint
  private let patience: Patience
  private let transcript: Transcript?
  let terms: Terms

  /// - Parameters:
  ///   - endpoint: The model.
  ///   - patience: How long to wait and how often to ask.
  ///   - transcript: Where everything that was asked and answered is written; nowhere if nil.
  ///   - terms: Those of the comparison, which its other client has too.
  package init(
    _ endpoint: Endpoint, patience: Patience = Patience(), transcript: Transcript? = nil,
    terms: Terms = Terms()
  ) {
    self.endpoint = endpoint
    self.patience = patience
    self.transcript = transcript
    self.terms = terms
  }

  /// In words, without its key.
  package var description: String { endpoint.description }

  /// Answers to a prompt, drawn independently.
  ///
  /// - Parameters:
  ///   - question: The prompt, and how many answers of how many tokens.
  ///   - seed: Tells draws apart where a server takes a seed.
  /// - Returns: As many answers as were asked for; what a server returns beyond that is left out.
  /// - Throws: `EndpointFault`, and `TermsChanged` where the server refuses what others know.
  package func answers(to question: Question, seed: UInt64) throws -> [String] {
    do {
      return try allAnswers(to: question, seed: seed)
    } catch let refusal as Refusal {
      throw refusal.fault
    }
  }

  private func allAnswers(to question: Question, seed: UInt64) throws -> [String] {
    var answers: [String] = [], empty = 0
    while answers.count < question.answers {
      let missing = question.answers - answers.count
      let new = try choices(question, count: missing, seed: seed &+ UInt64(answers.count))
      answers += new.prefix(missing)
      empty = new.isEmpty ? empty + 1 : 0
      guard empty < patience.tries else {
        throw EndpointFault("\(endpoint.description) returns no answers.")
      }
    }
    return answers
  }

  private func choices(_ question: Question, count: Int, seed: UInt64) throws -> [String] {
    let limit = Self.limit(question)
    guard !terms.isPlain else { return try contents(plainBody(question), limit) }
    do {
      return try contents(fullBody(question, count: count, seed: seed), limit)
    } catch let refusal as Refusal where [400, 422].contains(refusal.status) {
      // Some servers know only the fields that everybody knows. Who refuses those too is not one of them.
      _ = try contents(plainBody(question), limit)
      terms.makePlain()
      throw TermsChanged()
    }
  }

  private func plainBody(_ question: Question) -> [(String, JSONValue)] {
    [
      ("model", .string(endpoint.model)),
      (
        "messages",
        .array([.object([("role", .string("user")), ("content", .string(question.prompt))])])
      ),
      ("max_tokens", .integer(Int64(question.length))), ("temperature", .number(1)),
    ]
  }

  private func fullBody(_ question: Question, count: Int, seed: UInt64) -> [(String, JSONValue)] {
    plainBody(question) + [
      ("top_p", .number(1)), ("n", .integer(Int64(count))),
      ("seed", .integer(Int64(seed & 0x7FFF_FFFF))),
    ]
  }

  // MARK: Asking

  /// A status that says what was asked is wrong: asking again would not help.
  private struct Refusal: Error {
    let status: Int
    let fault: EndpointFault
  }

  /// Bytes that an honest answer needs at most: a MiB, and 256 for each token.
  private static func limit(_ question: Question) -> Int {
    (1 << 20) + 256 * question.answers * question.length
  }

  private func choices(_ body: [(String, JSONValue)], _ limit: Int) throws -> [JSONValue] {
    let text = JSON.text(of: .object(body))
    var last = EndpointFault("")
    for attempt in 0..<max(1, patience.tries) {
      var wanted = patience.pause * Double(1 << min(attempt, 16))
      let start = Date()
      do {
        let answer = redacted(
          try HTTPExchange.answer(
            to: request(text), within: patience.seconds, limit: limit,
            unless: { terms.isStopped }))
        transcript?.add(endpoint.side, text, answer, seconds: Date().timeIntervalSince(start))
        guard Self.isBusy(answer.status) else { return try read(answer) }
        last = fault("answers with status \(answer.status)\(Self.detail(answer.body))")
        wanted = max(wanted, answer.retryAfter ?? 0)
      } catch let fault as HTTPExchange.Fault {
        last = self.fault(words(fault))
        transcript?.add(endpoint.side, text, words(fault), seconds: Date().timeIntervalSince(start))
        if [.tooLarge, .stopped].contains(fault) { throw last }
      }
      if attempt + 1 < patience.tries { pause(min(wanted, patience.seconds)) }
    }
    throw EndpointFault("\(last.description) It was asked \(patience.tries) times.")
  }

  /// Waits, but not for a comparison that has ended.
  private func pause(_ seconds: Double) {
    let end = Date(timeIntervalSinceNow: seconds)
    while end.timeIntervalSinceNow > 0, !terms.isStopped {
      Thread.sleep(forTimeInterval: min(0.1, max(0, end.timeIntervalSinceNow)))
    }
  }

  /// An answer without the key, which some servers repeat, however its letters are written.
  private func redacted(_ answer: HTTPExchange.Answer) -> HTTPExchange.Answer {
    guard let key = endpoint.key else { return answer }
    let value = try? JSON.parse(answer.body, file: "answer", isLenient: true)
    let held = value.flatMap { $0.holds(key) ? $0.replacing(key, with: "[key]") : nil }
    let text = held.map { JSON.text(of: $0) } ?? String(decoding: answer.body, as: UTF8.self)
    guard held != nil || text.contains(key) else { return answer }
    return .init(
      status: answer.status, body: Data(text.replacing(key, with: "[key]").utf8),
      retryAfter: answer.retryAfter)
  }

  private func request(_ body: String) -> URLRequest {
    var request = URLRequest(url: endpoint.url.appending(path: "chat/completions"))
    request.httpMethod = "POST"
    request.httpBody = Data(body.utf8)
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    // What is packed cannot be measured before it is unpacked.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    if let key = endpoint.key {
      request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization")
    }
    return request
  }

  private static func isBusy(_ status: Int) -> Bool {
    [408, 425, 429].contains(status) || (500...599).contains(status)
  }

  private func words(_ fault: HTTPExchange.Fault) -> String {
    switch fault {
    case .stopped: "was not waited for"
    case .timedOut: "did not answer within \(patience.seconds) s"
    case .tooLarge: "answers with more than it was asked for"
    case .failed(let reason): "cannot be asked: \(reason)"
    }
  }

  private func fault(_ words: String) -> EndpointFault {
    EndpointFault("\(endpoint.description) \(words).")
  }

  // MARK: Reading

  /// What a server says of an error, in so many characters.
  private static func detail(_ body: Data) -> String {
    let text = Printable.line(String(decoding: body.prefix(300), as: UTF8.self))
    return text.isEmpty ? "" : ": \(text)"
  }

  private func read(_ answer: HTTPExchange.Answer) throws -> [JSONValue] {
    guard answer.status == 200 else {
      let hint =
        switch answer.status {
        case 401, 403: "; the key is taken from ASSAY_\(endpoint.side.rawValue.uppercased())_KEY"
        case 404: "; the address should end where '/chat/completions' follows, as in '…/v1'"
        case 300...399: "; it sends elsewhere, and keys are not sent on"
        default: ""
        }
      throw Refusal(
        status: answer.status,
        fault: fault("refuses with status \(answer.status)\(Self.detail(answer.body))\(hint)"))
    }
    let value = try? JSON.parse(answer.body, file: "answer", isLenient: true)
    guard case .array(let choices)? = value?["choices"] else {
      throw fault("answers with what is no list of choices\(Self.detail(answer.body))")
    }
    return choices
  }

  /// What a model says in each choice.
  private func contents(_ body: [(String, JSONValue)], _ limit: Int) throws -> [String] {
    try choices(body, limit).map { choice in
      guard let content = choice["message"]?["content"] else {
        throw fault("returns a choice without a message")
      }
      switch content {
      case .string(let text): return text
      case .null: return ""
      default: throw fault("returns a message that is no text")
      }
    }
  }
}

extension EndpointClient {
  /// Bytes that an agent's turn needs at most.
  private static let turnLimit = 1 << 22

  /// The next message of a chat in which a model may call tools.
  ///
  /// - Parameters:
  ///   - messages: The chat so far.
  ///   - tools: What may be called, as OpenAI's protocol describes it.
  /// - Returns: The message, an object.
  /// - Throws: `EndpointFault`.
  func turn(_ messages: [JSONValue], tools: [JSONValue]) throws -> JSONValue {
    do {
      let choices = try choices(
        [
          ("model", .string(endpoint.model)), ("messages", .array(messages)),
          ("tools", .array(tools)), ("max_tokens", .integer(1024)),
        ], Self.turnLimit)
      guard let message = choices.first?["message"], case .object = message else {
        throw fault("returns no message")
      }
      return message
    } catch let refusal as Refusal {
      throw refusal.fault
    }
  }
}

extension EndpointClient.Question {
  /// - Parameters:
  ///   - prompt: What a user says.
  ///   - answers: How many answers.
  ///   - length: Of how many tokens at most.
  package init(_ prompt: String, answers: Int, length: Int) {
    (self.prompt, self.answers, self.length) = (prompt, answers, length)
  }
}

extension JSONValue {
  /// Whether a text is in a string of it, or in a key.
  fileprivate func holds(_ text: String) -> Bool {
    switch self {
    case .string(let own): own.contains(text)
    case .array(let items): items.contains { $0.holds(text) }
    case .object(let members): members.contains { $0.key.contains(text) || $0.value.holds(text) }
    default: false
    }
  }

  /// The same with a text replaced in every string and key.
  fileprivate func replacing(_ text: String, with other: String) -> JSONValue {
    switch self {
    case .string(let own): .string(own.replacing(text, with: other))
    case .array(let items): .array(items.map { $0.replacing(text, with: other) })
    case .object(let members):
      .object(
        members.map { ($0.key.replacing(text, with: other), $0.value.replacing(text, with: other)) }
      )
    default: self
    }
  }
}
