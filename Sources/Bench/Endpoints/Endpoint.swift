package import Foundation
internal import JSON

/// A model behind a server that speaks OpenAI's protocol: vLLM, TGI, llama.cpp, `transformers serve`, or a hosted one.
package struct Endpoint: Sendable {
  /// Which of the two models it is, or that it is the one that asks them.
  package enum Side: String, Sendable {
    case base, finetuned, agent
  }

  package let side: Side
  /// What the routes are appended to, such as `http://127.0.0.1:8000/v1`.
  package let url: URL
  /// What the server calls the model.
  package let model: String
  /// What the server asks for; from the environment, and never told to anybody else.
  let key: String?

  /// Reads `base=URL,MODEL` or `finetuned=URL,MODEL`.
  ///
  /// - Parameters:
  ///   - text: The definition. The model's name is what stands behind the first comma.
  ///   - environment: Where keys are: `ASSAY_BASE_KEY`, `ASSAY_FINETUNED_KEY`, or `OPENAI_API_KEY` for both.
  /// - Throws: `EndpointFault`.
  package init(
    _ text: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(EndpointFault) {
    let form = "An endpoint is written base=URL,MODEL or finetuned=URL,MODEL"
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, let side = Side(rawValue: parts[0]), side != .agent else {
      throw EndpointFault("\(form); '\(Printable.quoted(text))' is not.")
    }
    try self.init(side, parts[1], form: form, environment: environment)
  }

  /// Reads `URL,MODEL`, the model that asks; its key is `ASSAY_AGENT_KEY` or `OPENAI_API_KEY`.
  ///
  /// - Throws: `EndpointFault`.
  package init(
    agent text: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(EndpointFault) {
    try self.init(
      .agent, text, form: "An agent is written URL,MODEL", environment: environment)
  }

  private init(_ side: Side, _ text: String, form: String, environment: [String: String])
    throws(EndpointFault)
  {
    let place = text.split(separator: ",", maxSplits: 1).map(String.init)
    guard place.count == 2, !place[1].isEmpty else {
      throw EndpointFault("\(form): the model is missing.")
    }
    guard let url = URL(string: place[0]), let scheme = url.scheme?.lowercased(),
      ["http", "https"].contains(scheme), url.host != nil, (url.port ?? 80) < 1 << 16
    else {
      throw EndpointFault(
        "\(form): '\(Printable.quoted(place[0]))' is no address of http or https.")
    }
    guard url.user == nil, url.password == nil, url.query == nil, url.fragment == nil else {
      throw EndpointFault(
        "A key stands in the address of \(side.rawValue), where everybody sees it: put it into the environment as "
          + "ASSAY_\(side.rawValue.uppercased())_KEY.")
    }
    self.side = side
    self.url = url
    model = place[1]
    // What stands around a key in a file, such as the end of its line, is no part of it.
    let keys = ["ASSAY_\(side.rawValue.uppercased())_KEY", "OPENAI_API_KEY"].compactMap {
      environment[$0]?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    key = keys.first { !$0.isEmpty }
  }

  /// Keeps some endpoints from the proxies that the environment names: over plain http a proxy would read keys and prompts.
  package static func avoidProxies(_ endpoints: [Endpoint]) {
    let hosts = endpoints.filter { $0.url.scheme?.lowercased() == "http" }.compactMap(\.url.host)
    guard !hosts.isEmpty else { return }
    let environment = ProcessInfo.processInfo.environment
    for name in ["no_proxy", "NO_PROXY"] {
      let all = [environment[name]].compactMap(\.self).filter { !$0.isEmpty } + hosts
      unsafe setenv(name, all.joined(separator: ","), 1)
    }
  }

  /// In words, without its key.
  package var description: String { "\(side.rawValue) (\(model) at \(url.absoluteString))" }
}

/// What an endpoint or its definition did wrong, in a sentence.
package struct EndpointFault: Error, Equatable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
