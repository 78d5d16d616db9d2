import ArgumentParser
import Bench
import Foundation
import Reporting
import Scoring

/// A language model that asks instead of the investigator of fixed rules.
struct AgentOptions: ParsableArguments {
  @Option(
    name: .customLong("agent"),
    help: ArgumentHelp(
      "A language model behind a server that speaks OpenAI's protocol puts the questions: they are its tools.",
      discussion: """
        The address ends where '/chat/completions' follows, as in http://127.0.0.1:8000/v1. The key is read from \
        ASSAY_AGENT_KEY or OPENAI_API_KEY.
        """,
      valueName: "url,model"))
  var definition: String?

  @Option(help: "With --agent: a new file for everything that was sent and came back.")
  var transcript: String?

  @Option(
    name: .customLong("agent-seconds"), help: "With --agent: how long one answer may take.")
  var seconds = 120.0

  func validate() throws {
    guard transcript == nil || definition != nil else {
      throw ValidationError("--transcript is for --agent.")
    }
    guard seconds > 0, seconds < 1e5 else {
      throw ValidationError("--agent-seconds should be above 0.")
    }
    _ = try endpoint
  }

  var isGiven: Bool { definition != nil }

  private var endpoint: Endpoint? {
    get throws {
      do { return try definition.map { try Endpoint(agent: $0) } } catch {
        throw ValidationError("\(error)")
      }
    }
  }

  /// What somebody makes of the agent and its name; nil if none is given.
  ///
  /// - Parameter play: Is given both; what the transcript lacks is told afterwards.
  func withAgent<Result>(_ play: (Agent, String) throws -> Result) throws -> Result? {
    guard let endpoint = try endpoint else { return nil }
    Endpoint.avoidProxies([endpoint])
    let transcript = try transcript.map { try Transcript(URL(filePath: $0)) }
    defer { transcript?.tellLosses() }
    let client = EndpointClient(
      endpoint, patience: .init(seconds: seconds), transcript: transcript)
    return try play(Agent(client), endpoint.model)
  }
}

extension Agent.Outcome {
  /// Says why there is no verdict of its own.
  func warn() {
    if let fault { Notice.standardError(isOfServer ? fault : "The agent abstains. \(fault)") }
  }
}
