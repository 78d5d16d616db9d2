internal import Foundation
internal import JSON
package import Scoring

/// A language model behind a server that puts questions to two models, and ends with a verdict.
///
/// The typed moves of a session are its tools. What it sends is believed only as far as it is such a move: anything else is told it,
/// and after some of that it abstains.
package struct Agent {
  private let client: EndpointClient

  package init(_ client: EndpointClient) { self.client = client }

  /// How a session ended.
  package struct Outcome: Sendable {
    package let verdict: Verdict
    /// What was asked, and what came back or was wrong with it, in order.
    package let moves: [(call: String, reply: String)]
    /// Why it has no verdict of its own, in a sentence; nil if it has.
    package let fault: String?
    /// Whether that is the server's fault.
    package let isOfServer: Bool
  }

  /// Turns beside one for each question: for lists of prompts, mistakes and the verdict.
  private static let spareTurns = 12
  /// Calls of one turn that are answered.
  private static let callsATurn = 16

  /// Plays a session to its end.
  ///
  /// - Parameters:
  ///   - session: Where moves are made.
  ///   - evidence: What methods say, as text; empty if none was asked.
  ///
  /// A server that does not answer, or with what is no answer, ends it: the agent abstains.
  ///
  /// - Throws: What the two models throw.
  package func play(_ session: QuestionSession, evidence: String) throws -> Outcome {
    var chat = AgentChat(session, evidence: evidence)
    for _ in 0..<(session.budget + Self.spareTurns) {
      do {
        let message = try client.turn(chat.messages, tools: AgentTools.all)
        try chat.take(message, atMost: Self.callsATurn)
      } catch let fault as EndpointFault {
        return Outcome(
          verdict: .abstention, moves: chat.moves, fault: fault.description, isOfServer: true)
      }
      if let verdict = session.verdict {
        return Outcome(verdict: verdict, moves: chat.moves, fault: nil, isOfServer: false)
      }
    }
    return Outcome(
      verdict: .abstention, moves: chat.moves,
      fault: "It came to no verdict in \(session.budget + Self.spareTurns) turns.",
      isOfServer: false)
  }
}

/// The chat of a session.
private struct AgentChat {
  private let session: QuestionSession
  private(set) var messages: [JSONValue]
  private(set) var moves: [(call: String, reply: String)] = []

  init(_ session: QuestionSession, evidence: String) {
    self.session = session
    messages = [
      Self.message("system", AgentTools.rules(session)),
      Self.message(
        "user",
        evidence.isEmpty ? "No method was asked. Begin." : "What methods say:\n\(evidence)\nBegin."),
    ]
  }

  private static func message(_ role: String, _ text: String) -> JSONValue {
    .object([("role", .string(role)), ("content", .string(text))])
  }

  /// Makes the moves of a turn, and notes what came of them.
  mutating func take(_ message: JSONValue, atMost limit: Int) throws {
    guard case .array(let calls)? = message["tool_calls"], !calls.isEmpty else {
      messages.append(Self.message("assistant", Self.text(message["content"])))
      messages.append(Self.message("user", "Call a tool; 'verdict' ends the game."))
      return
    }
    // What is beyond the limit does not go back either.
    let answered = calls.prefix(limit)
    messages.append(Self.echo(message, answered))
    for (index, call) in answered.enumerated() {
      var reply = try self.reply(to: call)
      if index + 1 == limit, calls.count > limit {
        reply += "\nOf \(calls.count) calls \(limit) were answered: that is a turn's limit."
      }
      messages.append(
        .object([
          ("role", .string("tool")), ("tool_call_id", .string(Self.id(call))),
          ("content", .string(reply)),
        ]))
      moves.append((Self.clipped(Self.name(call) + " " + Self.arguments(call)), reply))
    }
  }

  private func reply(to call: JSONValue) throws -> String {
    do {
      let move = try SessionMove(
        tool: Self.name(call), arguments: Self.arguments(call), session.tokenizer)
      return try session.make(move)
    } catch let fault as MoveFault {
      return "Error: \(fault)"
    }
  }

  // MARK: What a message holds

  /// The message as it goes back: its text and its calls, and nothing else that a server may add.
  private static func echo(_ message: JSONValue, _ calls: ArraySlice<JSONValue>) -> JSONValue {
    .object([
      ("role", .string("assistant")), ("content", .string(text(message["content"]))),
      (
        "tool_calls",
        .array(
          calls.map { call in
            .object([
              ("id", .string(id(call))), ("type", .string("function")),
              (
                "function",
                .object([
                  ("name", .string(name(call))), ("arguments", .string(clipped(arguments(call)))),
                ])
              ),
            ])
          })
      ),
    ])
  }

  /// What goes back to the agent, or on, of a text that it sent.
  private static func clipped(_ text: String) -> String { String(text.prefix(8192)) }

  /// A text, clipped; empty for what is none.
  private static func text(_ value: JSONValue?) -> String {
    if case .string(let text)? = value { clipped(text) } else { "" }
  }

  private static func id(_ call: JSONValue) -> String { text(call["id"]) }
  private static func name(_ call: JSONValue) -> String { text(call["function"]?["name"]) }

  /// The arguments as text; some servers send an object.
  private static func arguments(_ call: JSONValue) -> String {
    switch call["function"]?["arguments"] {
    case nil: ""
    case .string(let text)?: text
    case let value?: JSON.text(of: value)
    }
  }
}
