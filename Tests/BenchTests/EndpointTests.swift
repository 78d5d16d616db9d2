import Diffing
import Foundation
import JSON
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Bench

@Suite("Models behind servers")
struct EndpointTests {
  private static func client(
    _ server: AnswerServer, seconds: Double = 5, tries: Int = 3, key: String? = nil,
    transcript: Transcript? = nil, side: Endpoint.Side = .base,
    terms: EndpointClient.Terms = .init()
  ) throws -> EndpointClient {
    let name = "ASSAY_\(side.rawValue.uppercased())_KEY"
    return EndpointClient(
      try Endpoint(
        "\(side.rawValue)=\(server.url),some/model,with a comma",
        environment: key.map { [name: $0] } ?? [:]),
      patience: .init(seconds: seconds, tries: tries, pause: 0.01), transcript: transcript,
      terms: terms)
  }

  private static let question = EndpointClient.Question("say \"it\"", answers: 3, length: 4)

  // MARK: What is asked

  @Test(
    "the request is OpenAI's: a user's message, so many answers, tokens and a key that is nowhere else"
  )
  func request() throws {
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "transcript.jsonl")
      let server = try AnswerServer { request, _ in
        .answers([String](repeating: "yes", count: request.number("n") ?? 0))
      }
      let client = try Self.client(
        server, key: "very-secret", transcript: Transcript(file))
      #expect(try client.answers(to: Self.question, seed: 7) == ["yes", "yes", "yes"])
      let request = try #require(server.requests.first)
      #expect(server.requests.count == 1)
      #expect(request.head.hasPrefix("POST /v1/chat/completions HTTP/1.1"))
      #expect(request.head.contains("Authorization: Bearer very-secret"))
      let body = try JSON.parse(Data(request.body.utf8), file: "request")
      #expect(body["model"] == .string("some/model,with a comma"))
      #expect(body["max_tokens"] == .integer(4) && body["n"] == .integer(3))
      #expect(request.body.contains("\"content\":\"say \\\"it\\\"\""))
      let transcript = try String(contentsOf: file, encoding: .utf8)
      #expect(transcript.contains("choices") && !transcript.contains("very-secret"))
      #expect(throws: (any Error).self) { try Transcript(file) }
    }
  }

  @Test(
    "a definition that is none says so, and a key in an address is refused and not repeated",
    arguments: [
      ("bse=http://a/v1,m", "base=URL,MODEL"), ("base=http://a/v1", "the model is missing"),
      ("base=ftp://a/v1,m", "no address of http"), ("base=nothing,m", "no address of http"),
      ("base=http://user:secret@a/v1,m", "ASSAY_BASE_KEY"),
      ("base=http://a/v1?key=secret,m", "ASSAY_BASE_KEY"),
    ])
  func definitions(text: String, reason: String) throws {
    let fault = try #require(throws: EndpointFault.self) { try Endpoint(text, environment: [:]) }
    #expect(fault.description.contains(reason), "\(fault)")
    #expect(!fault.description.contains("secret"))
  }

  // MARK: What comes back

  @Test("servers that return fewer answers are asked again, of more the rest is left out")
  func counts() throws {
    let few = try AnswerServer { _, before in .answers(["answer \(before)"]) }
    #expect(
      try Self.client(few).answers(to: Self.question, seed: 0)
        == ["answer 0", "answer 1", "answer 2"])
    let many = try AnswerServer { _, _ in .answers(["a", "b", "c", "d", "e"]) }
    #expect(try Self.client(many).answers(to: Self.question, seed: 0) == ["a", "b", "c"])
    #expect(many.requests.count == 1)
  }

  @Test("if one server knows only plain fields, both are asked with nothing else, and that is said")
  func plainServers() throws {
    let plain = try AnswerServer { request, before in
      request.number("n") == nil
        ? .answers(["answer \(before)"]) : .init(status: 400, body: "unknown field n")
    }
    let full = try AnswerServer { request, before in
      .answers((0..<(request.number("n") ?? 1)).map { "answer \(before) \($0)" })
    }
    let terms = EndpointClient.Terms()
    let pair = EndpointPair(
      try Self.client(full, terms: terms),
      try Self.client(plain, side: .finetuned, terms: terms), prompts: ["a", "b"], seed: 0, jobs: 1)
    let reply = try pair.reply(to: TwoSampleTest())
    #expect(reply.notices.contains { $0.contains("both are asked without them") })
    #expect(full.requests.suffix(20).allSatisfy { $0.number("n") == nil })
    #expect(plain.requests.count { $0.number("n") != nil } == 1)
  }

  @Test("a server that repeats the key has it taken out, wherever it is shown or kept")
  func echoedKeys() throws {
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "transcript.jsonl")
      let server = try AnswerServer { _, _ in
        .init(status: 401, headers: ["WWW-Authenticate: Basic"], body: "no such key: very-secret")
      }
      let client = try Self.client(server, key: " very-secret\n", transcript: Transcript(file))
      let fault = try #require(throws: EndpointFault.self) {
        try client.answers(to: Self.question, seed: 0)
      }
      #expect(fault.description.contains("status 401: no such key: [key]"), "\(fault)")
      let transcript = try String(contentsOf: file, encoding: .utf8)
      #expect(!transcript.contains("very-secret"))
      #expect(server.requests.first?.head.contains("Bearer very-secret\r\n") == true)
    }
  }

  @Test("a key of nothing is none, and the one for both takes its place")
  func emptyKeys() throws {
    let endpoint = try Endpoint(
      "base=http://a/v1,m", environment: ["ASSAY_BASE_KEY": " \n", "OPENAI_API_KEY": "k"])
    #expect(endpoint.key == "k")
    let bare = try Endpoint("base=http://a/v1,m", environment: ["ASSAY_BASE_KEY": ""])
    #expect(bare.key == nil)
  }

  @Test("answers that are copies of one draw are said to be")
  func copies() throws {
    let server = try AnswerServer { request, before in
      .answers([String](repeating: "draw \(before)", count: request.number("n") ?? 1))
    }
    let pair = EndpointPair(
      try Self.client(server), try Self.client(server, side: .finetuned), prompts: ["a", "b", "c"],
      seed: 0)
    let notices = try pair.reply(to: TwoSampleTest()).notices
    #expect(notices.count == 2 && notices[0].contains("same answer each time to 3 of 3 prompts"))
  }

  @Test("when one server fails, nobody waits for the other")
  func failing() throws {
    let slow = try AnswerServer { _, _ in .init(seconds: 40) }
    let wrong = try AnswerServer { _, _ in .init(status: 404) }
    let terms = EndpointClient.Terms(), start = Date()
    let pair = EndpointPair(
      try Self.client(slow, seconds: 35, terms: terms),
      try Self.client(wrong, seconds: 35, side: .finetuned, terms: terms), prompts: ["a"], seed: 0)
    let fault = try #require(throws: EndpointFault.self) { try pair.reply(to: TwoSampleTest()) }
    #expect(fault.description.hasPrefix("finetuned"))
    #expect(Date().timeIntervalSince(start) < 30)
  }

  @Test("what was never asked or said is no hypothesis")
  func hypotheses() throws {
    let speaker = try AnswerServer { request, before in
      .answers((0..<(request.number("n") ?? 1)).map { "\(($0 + before) % 3) and more" })
    }
    func vocabulary(_ prompts: [String]) throws -> Double? {
      let pair = EndpointPair(
        try Self.client(speaker), try Self.client(speaker, side: .finetuned), prompts: prompts,
        seed: 0)
      return try pair.reply(to: VocabularyCounter()).evidence.magnitude
    }
    #expect(try vocabulary(["a"]) == 3)
    #expect(try vocabulary(["a", "many other words", "that nobody answers"]) == 3)
  }

  /// Says how many words it was told of.
  private struct VocabularyCounter: AnswerMethod {
    static let card = MethodCard(
      id: "vocabulary-counter", summary: "", source: "", questions: [], access: [.pool])
    var plan: AnswerPlan { AnswerPlan(prompts: 1, answers: 6, length: 1) }

    func evidence(of answers: PairedAnswers, using generator: inout SeededGenerator) -> Evidence {
      var evidence = Evidence()
      evidence.magnitude = Double(answers.vocabulary)
      return evidence
    }

    func diff(
      _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
    ) throws -> Evidence { Evidence() }
  }

  @Test("a busy server is asked again, and a number of times only")
  func busy() throws {
    let server = try AnswerServer { _, before in
      before < 2
        ? .init(status: before == 0 ? 429 : 503, headers: ["Retry-After: 0"])
        : .answers(["a", "b", "c"])
    }
    #expect(try Self.client(server).answers(to: Self.question, seed: 0).count == 3)
    let always = try AnswerServer { _, _ in .init(status: 503, body: "later") }
    let fault = try #require(throws: EndpointFault.self) {
      try Self.client(always).answers(to: Self.question, seed: 0)
    }
    #expect(fault.description.contains("503: later") && fault.description.contains("3 times"))
    #expect(always.requests.count == 3)
  }

  @Test(
    "what is no answer is a sentence, and nobody waits for it",
    arguments: [
      (AnswerServer.Response(body: "{\"choices\":\"yes\"}"), "no list of choices"),
      (.init(body: "<html>"), "no list of choices"),
      (.init(body: "{\"choices\":[{}]}"), "without a message"),
      (.init(body: "{\"choices\":[{\"message\":{\"content\":5}}]}"), "no text"),
      (.answers([]), "returns no answers"), (.init(status: 401), "ASSAY_BASE_KEY"),
      (.init(status: 404), "/chat/completions"),
      (.init(status: 302, headers: ["Location: http://127.0.0.1:1/"]), "not sent on"),
      (.init(raw: "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"choi"), "asked 3 times"),
      (.init(raw: "nonsense"), "asked 3 times"), (.init(seconds: 2), "did not answer within 0.2 s"),
      (
        .init(raw: "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: " ", count: 3 << 20)),
        "more than it was asked for"
      ),
    ])
  func faults(response: AnswerServer.Response, reason: String) throws {
    let server = try AnswerServer { _, _ in response }
    let fault = try #require(throws: EndpointFault.self) {
      try Self.client(server, seconds: response.seconds > 0 ? 0.2 : 20).answers(
        to: Self.question, seed: 0)
    }
    #expect(fault.description.contains(reason), "\(fault)")
    #expect(fault.description.contains("base (some/model"))
  }

  @Test("where nobody listens, that is said")
  func nobody() throws {
    let client = EndpointClient(
      try Endpoint("finetuned=http://127.0.0.1:1/v1,m", environment: [:]),
      patience: .init(seconds: 5, tries: 1, pause: 0))
    let fault = try #require(throws: EndpointFault.self) {
      try client.answers(to: Self.question, seed: 0)
    }
    #expect(fault.description.contains("nobody listens there"), "\(fault)")
  }

  // MARK: Methods

  /// A server whose model says a word of a list, each request another.
  private static func speaker(_ words: [String]) throws -> AnswerServer {
    try AnswerServer { request, before in
      var generator = SeededGenerator(seed: UInt64(before), for: request.body)
      return .answers(
        (0..<(request.number("n") ?? 1)).map { _ in
          "it is \(words[generator.index(below: words.count)])."
        })
    }
  }

  private static func pair(
    _ base: [String], _ finetuned: [String], _ body: (EndpointPair) throws -> Void
  )
    throws
  {
    let (first, second) = (try speaker(base), try speaker(finetuned))
    try body(
      EndpointPair(
        try client(first), try client(second, side: .finetuned),
        prompts: (0..<30).map { "question \($0)?" }, seed: 0))
    withExtendedLifetime((first, second)) {}
  }

  @Test(
    "a word that one server says more often is what the battery names, and the test finds the answers different"
  )
  func difference() throws {
    try Self.pair(["cat", "dog", "cow"], ["cat", "owl", "owl"]) { pair in
      let battery = try pair.reply(to: PromptBattery())
      let first = try #require(battery.evidence.tokens?.first { $0.sign > 0 })
      #expect(battery.tokenizer.word(first.token) == "owl")
      #expect(battery.evidence.inputs?.allSatisfy { $0.row < 30 } == true)
      let test = try pair.reply(to: TwoSampleTest())
      #expect(try #require(test.evidence.magnitude) > 0.01)
      #expect(test.evidence.exhibits[0].title.contains("p = 0.000999"))
    }
  }

  @Test(
    "of servers that say the same words as often no word is named at the rate of false discoveries")
  func equal() throws {
    try Self.pair(["cat", "dog", "cow"], ["cow", "cat", "dog"]) { pair in
      let battery = try pair.reply(to: PromptBattery())
      #expect(try #require(battery.evidence.magnitude) < 1)
      let test = try pair.reply(to: TwoSampleTest())
      #expect(try #require(test.evidence.magnitude) < 0.02)
      #expect(!test.evidence.exhibits[0].title.contains("p = 0.000999"))
    }
  }

  @Test("a server that stops answering is a sentence of its own, whatever the other does")
  func oneStops() throws {
    let base = try Self.speaker(["cat"])
    let finetuned = try AnswerServer { _, before in
      before < 3 ? .answers(["a"]) : .init(status: 500)
    }
    let pair = EndpointPair(
      try Self.client(base), try Self.client(finetuned, side: .finetuned), prompts: ["a", "b"],
      seed: 0)
    let fault = try #require(throws: EndpointFault.self) { try pair.reply(to: TwoSampleTest()) }
    #expect(fault.description.hasPrefix("finetuned"))
  }

  @Test("text is cut into words and marks, and the same word is the same token")
  func words() {
    var words = AnswerWords()
    let tokens = words.tokens("It's 3 owls—owls!\n")
    #expect(tokens.map(words.tokenizer.word) == ["It", "'", "s", "3", "owls", "—", "owls", "!"])
    #expect(words.tokens("owls") == [tokens[4]] && words.count == 7)
    #expect(words.tokens(" \n").isEmpty)
    #expect(words.tokens("我喜欢cats").count == 4)
    var few = AnswerWords()
    #expect(few.tokens("cat and dog", atMost: 1).count == 1 && few.count == 1)
  }
}
