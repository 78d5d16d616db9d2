import Diffing
import Foundation
import JSON
import Scoring
import Synchronization
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Bench

/// A pair of which one module changed, and its words.
private struct AskedPair {
  let base = TinyModels.llama()
  let finetuned: DecoderModel
  let prompts = TinyModels.rows([5, 6, 7, 4])
  let tokenizer = WordTokenizer(
    vocabulary: ["<bos>"] + (1..<19).map { "w\($0)" }, specials: [0], documentStart: 0)

  init() {
    var other = base
    for tensor in base.names.blocks[1] where !tensor.role.isAttention {
      other.parameters[tensor.name] = other.parameters[tensor.name].map { $0 * 1.5 }
    }
    finetuned = other
  }

  func witness() throws -> ModelWitness {
    try ModelWitness(base, finetuned, prompts: prompts, specialTokens: [0], seed: 3)
  }

  func session(budget: Int = 3) throws -> QuestionSession {
    QuestionSession(try witness(), tokenizer, budget: budget)
  }
}

@Suite("Questions to two models")
struct QuestionSessionTests {
  private let pair = AskedPair()

  // MARK: Models that answer

  @Test("both models' next-token probabilities are theirs")
  func next() throws {
    let answer = try pair.witness().answer(.next(row: 2))
    for (model, shares) in [(pair.base, answer.base), (pair.finetuned, answer.finetuned)] {
      let logits = model.forward(TokenBatch([pair.prompts[2]]), logits: .last).logits
      let expected = logits.logProbabilities.scalars.map { Float(exp(Double($0))) }
      expectClose(shares, expected, tolerance: 1e-5)
    }
    #expect(try pair.witness().candidates == Array(1..<19))
    #expect(try pair.witness().modules.count == 4)
  }

  @Test("the module that changed brings the whole change, the others none of it")
  func exchange() throws {
    let witness = try pair.witness()
    let whole = witness.answer(.next(row: 1))
    #expect(whole.base != whole.finetuned)
    for module in witness.modules {
      let answer = witness.answer(.exchange(row: 1, module: module))
      let expected = module == .mlp(layer: 1) ? whole.finetuned : whole.base
      expectClose(answer.finetuned, expected, tolerance: 1e-6, "\(module)")
      #expect(answer.base == whole.base)
    }
  }

  @Test("what models say is drawn alike for both, and its shares count answers that hold a token")
  func say() throws {
    let answer = try pair.witness().answer(.say(row: 0))
    #expect(answer.sayings.base.count == ModelWitness.sayings)
    let token = try #require(answer.sayings.finetuned.first?.first)
    let count = answer.sayings.finetuned.count { $0.contains(token) }
    #expect(abs(answer.finetuned[token] - Float(count) / Float(ModelWitness.sayings)) < 1e-6)
    let same = try ModelWitness(
      pair.base, pair.base, prompts: pair.prompts, specialTokens: [], seed: 3)
    let alike = same.answer(.say(row: 0))
    #expect(alike.base == alike.finetuned)
  }

  // MARK: Sessions

  @Test("questions are counted, mistakes and lists cost nothing, and nobody asks one too many")
  func budget() throws {
    let session = try pair.session(budget: 2)
    #expect(try session.make(.ask(.next(row: 0))).hasSuffix("1 of 2 questions left."))
    #expect(throws: MoveFault.self) { try session.make(.ask(.next(row: 4))) }
    #expect(throws: MoveFault.self) { try session.make(.ask(.next(row: -1))) }
    #expect(throws: MoveFault.self) {
      try session.make(.ask(.exchange(row: 0, module: .mlp(layer: 9))))
    }
    _ = try session.make(.prompts(nil))
    #expect(session.left == 1)
    _ = try session.make(.ask(.say(row: 3)))
    let fault = #expect(throws: MoveFault.self) { try session.make(.ask(.next(row: 1))) }
    #expect(fault?.description.contains("verdict is due") == true)
    #expect(throws: MoveFault.self) {
      try session.make(.verdict(Verdict(hypothesis: nil, row: 77)))
    }
    #expect(session.verdict == nil)
    _ = try session.make(.verdict(.abstention))
    #expect(session.verdict == .abstention)
    #expect(throws: MoveFault.self) { try session.make(.prompts(nil)) }
  }

  @Test(
    "what is typed is a move, or a sentence that says what is wrong",
    arguments: [
      ("prompts", .prompts(nil)), ("prompts w1 w2", .prompts("w1 w2")),
      ("next 2", .ask(.next(row: 2))), ("  say   0 ", .ask(.say(row: 0))),
      ("exchange 1 blocks.1.mlp", .ask(.exchange(row: 1, module: .mlp(layer: 1)))),
      ("nothing", .verdict(.abstention)), ("planted", .verdict(Verdict(hypothesis: nil))),
      ("planted w7 less", .verdict(Verdict(hypothesis: .init(token: 7, sign: -1)))),
      (
        "planted w7 likelier blocks.0.attn 3",
        .verdict(
          Verdict(hypothesis: .init(token: 7, sign: 1), row: 3, site: .attention(layer: 0)))
      ),
      ("next", nil), ("next two", nil), ("next 99999999999999999999", nil), ("NEXT 1", nil),
      ("exchange 1 mlp", nil), ("planted w99 likelier", nil), ("planted w7 more", nil),
      ("planted w7 likelier 1 2 3", nil), ("", nil),
    ] as [(String, SessionMove?)])
  func typed(line: String, move: SessionMove?) throws {
    guard let move else {
      #expect(throws: MoveFault.self) { try SessionMove(line, pair.tokenizer) }
      return
    }
    #expect(try SessionMove(line, pair.tokenizer) == move)
  }

  @Test(
    "what an agent calls is a move, or a sentence that says what is wrong",
    arguments: [
      ("prompts", "", .prompts(nil)), ("prompts", #"{"containing":"w1"}"#, .prompts("w1")),
      ("next", #"{"prompt":2}"#, .ask(.next(row: 2))),
      ("next", #"{"prompt":"2","why":"curious"}"#, .ask(.next(row: 2))),
      ("verdict", #"{"planted":false,"token":"w1"}"#, .verdict(.abstention)),
      (
        "verdict", #"{"planted":true,"token":"w7","direction":"less likely","prompt":null}"#,
        .verdict(Verdict(hypothesis: .init(token: 7, sign: -1)))
      ),
      ("next", "", nil), ("next", "[2]", nil), ("next", #"{"prompt":2.5}"#, nil),
      ("next", #"{"prompt":true}"#, nil), ("next", "{\"prompt\":", nil),
      ("exchange", #"{"prompt":1}"#, nil), ("verdict", "{}", nil),
      ("verdict", #"{"planted":"yes"}"#, nil),
      ("verdict", #"{"planted":true,"token":"w7"}"#, nil), ("truth", "{}", nil),
    ] as [(String, String, SessionMove?)])
  func called(tool: String, arguments: String, move: SessionMove?) throws {
    guard let move else {
      #expect(throws: MoveFault.self) {
        try SessionMove(tool: tool, arguments: arguments, pair.tokenizer)
      }
      return
    }
    #expect(try SessionMove(tool: tool, arguments: arguments, pair.tokenizer) == move)
  }

  // MARK: Agents

  /// A server that answers each turn with the next of some messages, and the last of them from then on.
  private static func server(_ messages: [String]) throws -> AnswerServer {
    try AnswerServer { _, before in
      let message = messages[min(before, messages.count - 1)]
      return .init(body: #"{"choices":[{"message":\#(message)}]}"#)
    }
  }

  private static func calls(_ calls: [(String, String)]) -> String {
    let all = calls.enumerated().map { index, call in
      let arguments = call.1.replacing("\"", with: "\\\"")
      return
        #"{"id":"c\#(index)","type":"function","function":{"name":"\#(call.0)","arguments":"\#(arguments)"}}"#
    }
    return #"{"role":"assistant","content":null,"tool_calls":[\#(all.joined(separator: ","))]}"#
  }

  private func play(_ messages: [String], budget: Int = 3) throws -> (
    Agent.Outcome, AnswerServer, QuestionSession
  ) {
    let server = try Self.server(messages)
    let client = EndpointClient(
      try Endpoint(agent: "\(server.url),some/agent", environment: ["ASSAY_AGENT_KEY": "secret"]),
      patience: .init(seconds: 5, tries: 2, pause: 0.01))
    let session = try pair.session(budget: budget)
    return (try Agent(client).play(session, evidence: "what one said"), server, session)
  }

  @Test("an agent asks by tools, hears what came of it, and ends with its verdict")
  func agent() throws {
    let (outcome, server, session) = try play([
      Self.calls([("prompts", "{}"), ("next", #"{"prompt":1}"#)]),
      Self.calls([
        (
          "verdict",
          #"{"planted":true,"token":"w7","direction":"likelier","module":"blocks.1.mlp"}"#
        )
      ]),
    ])
    #expect(
      outcome.verdict == Verdict(hypothesis: .init(token: 7, sign: 1), site: .mlp(layer: 1)))
    #expect(outcome.fault == nil && session.asked == [.next(row: 1)])
    #expect(server.requests.count == 2)
    let first = try JSON.parse(Data(server.requests[0].body.utf8), file: "request")
    #expect(first["tools"] == .array(AgentTools.all) && first["model"] == .string("some/agent"))
    #expect(server.requests[0].body.contains("what one said"))
    #expect(server.requests[0].head.contains("Authorization: Bearer secret"))
    let second = try JSON.parse(Data(server.requests[1].body.utf8), file: "request")
    guard case .array(let messages)? = second["messages"] else {
      Issue.record("no messages")
      return
    }
    #expect(messages.count == 5)
    #expect(messages[3]["tool_call_id"] == .string("c0") && messages[4]["role"] == .string("tool"))
  }

  @Test("an agent that asks without end has its questions and no more, and abstains")
  func endless() throws {
    let (outcome, server, session) = try play([
      Self.calls((0..<40).map { _ in ("next", #"{"prompt":1}"#) })
    ])
    #expect(session.asked.count == 3)
    #expect(outcome.verdict == .abstention && outcome.fault != nil)
    #expect(server.requests.count == 15)
    #expect(outcome.moves.contains { $0.reply.contains("Of 40 calls 16 were answered") })
    #expect(outcome.moves.count == 15 * 16)
  }

  @Test(
    "an agent that talks, calls what is none, or sends nonsense is told so, and abstains in the end",
    arguments: [
      #"{"role":"assistant","content":"Something was planted: w7."}"#,
      #"{"role":"assistant","content":[{"type":"text"}],"tool_calls":"next"}"#,
      #"{"tool_calls":[7,null,{"function":{"name":5}}]}"#,
      #"{"tool_calls":[{"id":"a","function":{"name":"verdict","arguments":{"planted":true,"prompt":-1}}}]}"#,
    ])
  func nonsense(message: String) throws {
    let (outcome, _, session) = try play([message])
    #expect(outcome.verdict == .abstention && outcome.fault != nil)
    #expect(session.asked.isEmpty)
  }

  @Test("what an agent sends at length is not searched for or sent back, and no key comes through")
  func length() throws {
    let long = String(repeating: "x", count: 30_000)
    let (outcome, server, _) = try play([
      Self.calls([("prompts", #"{"containing":"\#(long)"}"#), (long, "{}")]),
      #"{"content":"\u0073ecret \#(long)"}"#, Self.calls([("verdict", #"{"planted":false}"#)]),
    ])
    #expect(outcome.verdict == .abstention && outcome.fault == nil)
    #expect(outcome.moves[0].reply.contains("at most 4096 bytes"))
    #expect(server.requests[2].body.utf8.count < 60_000)
    #expect(server.requests[2].body.contains("[key] xxx"))
    #expect(!server.requests[2].body.contains("secret"))
    let session = try pair.session()
    #expect(throws: MoveFault.self) { try session.make(.prompts(long)) }
  }

  @Test("a server that is none ends the game, and an agent's definition that is none too")
  func faults() throws {
    let (outcome, _, _) = try play(["7"])
    #expect(outcome.verdict == .abstention && outcome.isOfServer)
    #expect(throws: EndpointFault.self) { try Endpoint(agent: "http://a/v1", environment: [:]) }
    #expect(throws: EndpointFault.self) {
      try Endpoint("agent=http://a/v1,m", environment: [:])
    }
  }
}
