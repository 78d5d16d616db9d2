internal import Diffing
internal import JSON

/// What a method said as the page reads it: the first claims of each kind, and how many there are.
struct EvidenceData {
  /// How many claims of a kind are shown.
  let top: Int

  func json(_ evidence: Evidence, _ words: inout WordTable) -> JSONValue {
    var members: [(String, JSONValue)] = []
    if let magnitude = evidence.magnitude { members.append(("magnitude", .digits(magnitude))) }
    if let tokens = evidence.tokens {
      members.append(("promoted", claims(tokens.filter { $0.sign > 0 }, &words)))
      members.append(("suppressed", claims(tokens.filter { $0.sign < 0 }, &words)))
    }
    if let inputs = evidence.inputs {
      members.append(("inputs", ExhibitData.inputs(inputs.prefix(top))))
      members.append(("inputCount", .count(inputs.count)))
    }
    if let sites = evidence.sites {
      members.append(
        (
          "sites",
          .array(
            sites.prefix(top).map {
              .array([.string("\($0.site)"), .digits($0.score)])
            })
        ))
      members.append(("siteCount", .count(sites.count)))
    }
    if let interventions = evidence.interventions {
      members.append(("interventions", .texts(interventions.map(\.summary))))
    }
    return .object(members)
  }

  private func claims(_ claims: [TokenClaim], _ words: inout WordTable) -> JSONValue {
    .object([
      ("count", .count(claims.count)),
      (
        "first",
        .array(claims.prefix(top).map { .array([words.place($0.token), .digits($0.score)]) })
      ),
    ])
  }
}
