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

  private let endpoint: Endpoint
  private let patience: Patience
  private let transcript: Transcript?
  /// Whether the server takes a number of answers and a seed; false once it refused them.
  private let takesAll = Mutex(true)
  /// Why it is not asked any more, whoever asks.
  private let end = Mutex<EndpointFault?>(nil)

  /// - Parameters:
  ///   - endpoint: The model.
  ///   - patience: How long to wait and how often to ask.
  ///   - transcript: Where everything that was asked and answered is written; nowhere if nil.
  package init(_ endpoint: Endpoint, patience: Patience = Patience(), transcript: Transcript? = nil)
  {
    self.endpoint = endpoint
    self.patience = patience
    self.transcript = transcript
  }

  /// Answers to a prompt, drawn independently.
  ///
  /// - Parameters:
  ///   - question: The prompt, and how many answers of how many tokens.
  ///   - seed: Tells draws apart where a server takes a seed.
  /// - Returns: As many answers as were asked for; what a server returns beyond that is left out.
  /// - Throws: `EndpointFault`.
  package func answers(to question: Question, seed: UInt64) throws(EndpointFault) -> [String] {
    do {
      return try allAnswers(to: question, seed: seed)
    } catch {
      let fault =
        (error as? Refusal)?.fault ?? error as? EndpointFault
        ?? EndpointFault("\(endpoint.description): \(error)")
      end.withLock { $0 = $0 ?? fault }
      throw fault
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
    guard takesAll.withLock({ $0 }) else { return try choices(plainBody(question), limit) }
    do {
      return try choices(fullBody(question, count: count, seed: seed), limit)
    } catch let refusal as Refusal where [400, 422].contains(refusal.status) {
      // Some servers know only the fields that everybody knows.
      let plain = try choices(plainBody(question), limit)
      takesAll.withLock { $0 = false }
      return plain
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

  private func choices(_ body: [(String, JSONValue)], _ limit: Int) throws -> [String] {
    let text = JSON.text(of: .object(body))
    var pause = patience.pause, last = EndpointFault("")
    for attempt in 1...max(1, patience.tries) {
      if let end = end.withLock({ $0 }) { throw end }
      let start = Date()
      do {
        let answer = try HTTPExchange.answer(
          to: request(text), within: patience.seconds, limit: limit)
        transcript?.add(endpoint.side, text, answer, seconds: Date().timeIntervalSince(start))
        guard Self.isBusy(answer.status) else { return try read(answer) }
        last = fault("answers with status \(answer.status)\(Self.detail(answer.body))")
        pause = max(pause, min(answer.retryAfter ?? 0, patience.seconds))
      } catch let fault as HTTPExchange.Fault {
        last = self.fault(words(fault))
        transcript?.add(endpoint.side, text, words(fault), seconds: Date().timeIntervalSince(start))
        if fault == .tooLarge { throw last }
      }
      if attempt < patience.tries { Thread.sleep(forTimeInterval: pause) }
      pause *= 2
    }
    throw EndpointFault("\(last.description) It was asked \(patience.tries) times.")
  }

  private func request(_ body: String) -> URLRequest {
    var request = URLRequest(url: endpoint.url.appending(path: "chat/completions"))
    request.httpMethod = "POST"
    request.httpBody = Data(body.utf8)
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
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

  private func read(_ answer: HTTPExchange.Answer) throws -> [String] {
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
    guard let value = try? JSON.parse(answer.body, file: "answer"),
      case .array(let choices)? = value["choices"]
    else { throw fault("answers with what is no list of choices") }
    return try choices.map { choice in
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

extension EndpointClient.Question {
  /// - Parameters:
  ///   - prompt: What a user says.
  ///   - answers: How many answers.
  ///   - length: Of how many tokens at most.
  package init(_ prompt: String, answers: Int, length: Int) {
    (self.prompt, self.answers, self.length) = (prompt, answers, length)
  }
}
