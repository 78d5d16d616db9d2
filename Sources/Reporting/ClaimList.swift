package import Statistics

/// Published orderings, one a line: whether it is reproduced, what was published, what was measured.
package struct ClaimList: Sendable {
  private let claims: [PublishedClaims.Claim]

  package init(_ published: PublishedClaims) { claims = published.claims }

  package var text: String {
    claims.map { claim in
      let verdict = claim.isReproduced.map { $0 ? "yes" : "no" } ?? "cannot be said"
      return Prose.wrapped(
        "- **\(verdict)**: \(claim.text) (\(claim.source)). \(claim.measured).", indent: "  ")
    }.joined(separator: "\n")
  }
}
