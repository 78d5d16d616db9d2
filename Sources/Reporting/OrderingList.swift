internal import Bench
internal import Diffing
internal import Statistics

/// Published orderings, one an item: what the run says of it, what was published, what was measured.
struct OrderingList {
  private let published: PublishedOrderings
  private let findings: [PublishedOrderings.Finding]

  init(_ published: PublishedOrderings, _ findings: [PublishedOrderings.Finding]) {
    self.published = published
    self.findings = findings
  }

  var text: String { ([legend] + findings.map(item) + missing).joined(separator: "\n") }

  /// What the run has not both figures of.
  private var missing: [String] {
    let found = Set(findings.map { Self.name($0.ordering) })
    let others = published.orderings.filter { !found.contains(Self.name($0)) }
    guard !others.isEmpty else { return [] }
    let names = others.map { ordering in
      [ordering.more, ordering.less].map { side(ordering.access, $0) }.joined(separator: " over ")
    }
    return ["", Prose.wrapped("Not measured in this run: \(names.joined(separator: "; ")).")]
  }

  private static func name(_ ordering: PublishedOrderings.Ordering) -> String {
    "\(ordering.claim) \(ordering.access)"
  }

  private func side(_ access: AccessLevel, _ side: PublishedOrderings.Side) -> String {
    "\(side.method)@\(access.rawValue) \(self.side(side).dropFirst(side.method.count + 1))"
  }

  private var legend: String {
    Prose.wrapped(
      """
      Each compares two figures at one level of access. It holds if the difference is at least \
      \(Prose.number(published.margin)) and its interval above 0, fails if the whole interval is below \
      \(Prose.number(published.margin)), and is not clear else, or with fewer than \
      \(PublishedOrderings.leastWitnesses) clusters: families, organisms if all are of one family, bases if there is \
      one organism.
      """) + "\n"
  }

  private func item(_ finding: PublishedOrderings.Finding) -> String {
    let ordering = finding.ordering
    return Prose.wrapped(
      "- **\(finding.verdict.rawValue)**: \(ordering.claim) (\(ordering.source)). From "
        + "\(ordering.access.rawValue), \(side(ordering.more)) \(Prose.number(finding.more)), "
        + "\(side(ordering.less, beside: ordering.more)) \(Prose.number(finding.less)): "
        + IntervalText(finding.difference.value, finding.difference.interval).text
        + ", \(finding.difference.witnesses) clusters.",
      indent: "  ")
  }

  /// What a side is: of the second one only what differs from the first.
  private func side(
    _ side: PublishedOrderings.Side, beside other: PublishedOrderings.Side? = nil
  ) -> String {
    let plants = [side.regimes, side.families, side.dial.map { [$0] }].compactMap(\.self)
      .map { $0.joined(separator: ", ") }
    let others = [other?.regimes, other?.families, other?.dial.map { [$0] }].compactMap(\.self)
      .map { $0.joined(separator: ", ") }
    let named = side.method == other?.method ? [] : [side.method]
    let figure = side.figure == other?.figure ? [] : [side.figure]
    let shown = plants == others ? [] : plants
    let words = named + figure + (shown.isEmpty ? [] : ["(\(shown.joined(separator: "; ")))"])
    return words.joined(separator: " ")
  }
}
