package import Bench
internal import Diffing
internal import Foundation
internal import Organisms
internal import Scoring
package import Transformers

/// One cell for a person: what was said, the truth, and why it scored so.
package struct CellText {
  private let cell: CellInspection
  private let tokenizer: any Tokenizer
  private let top: Int

  /// - Parameters:
  ///   - cell: A kept cell.
  ///   - tokenizer: The world's.
  ///   - top: How many claims of each kind to show.
  package init(_ cell: CellInspection, tokenizer: any Tokenizer, top: Int = 10) {
    self.cell = cell
    self.tokenizer = tokenizer
    self.top = top
  }

  private var evidence: Evidence { cell.evidence.evidence }

  package var text: String {
    let cost = cell.evidence.cost
    let head = [
      "\(cell.evidence.cell)",
      "  \(cost.tokensForward) tokens forward, \(cost.tokensBackward) backward, "
        + "\(Prose.number(cost.seconds)) s",
    ]
    let failures = cell.trial.failures.map { "not installed: \($0)" }
    let parts = [whether, what, when, `where`, how, exhibits]
    return (head + failures + parts.joined()).map {
      Prose.wrapped($0, indent: "      ", keepsLayout: true)
    }
    .joined(separator: "\n")
  }

  // MARK: Questions

  private var whether: [String] {
    let magnitude = evidence.magnitude.map { "\($0)" } ?? "the method does not say"
    return ["whether", "  said: \(magnitude)", "  truth: \(cell.trial.role.rawValue)"]
  }

  private var what: [String] {
    guard let key = cell.truth.tokens else { return [] }
    let planted = Set(key.allTargets), topic = Set(key.topic)
    func mark(_ token: Int) -> String {
      word(token) + (planted.contains(token) ? "*" : topic.contains(token) ? "+" : "")
    }
    let claims = (evidence.tokens ?? []).filter { $0.sign == key.sign }
    let places = key.allTargets.map { target in
      let place = claims.firstIndex { $0.token == target }
      return "\(word(target)) \(place.map { "\($0 + 1)" } ?? "not named")"
    }
    let verb = key.sign > 0 ? "promoted" : "suppressed"
    return ["what"]
      + said(
        evidence.tokens.map { _ in
          "\(verb): " + claims.prefix(top).map { mark($0.token) }.joined(separator: " ")
        })
      + [
        "  truth: \(verb) " + key.allTargets.map(word).joined(separator: " ")
          + (key.topic.isEmpty ? "" : "; about " + key.topic.map(word).joined(separator: " ")),
        "  places: \(places.joined(separator: ", ")) (* planted, + topic)",
      ] + score(.what)
  }

  private var when: [String] {
    guard let labels = cell.truth.inputs else { return [] }
    func line(_ claim: InputClaim) -> String {
      let mark = labels.indices.contains(claim.row) && labels[claim.row] ? "*" : " "
      let prompt = cell.pool.indices.contains(claim.row) ? cell.pool[claim.row] : []
      return "    \(mark) \(prompt.dropFirst().map(word).joined(separator: " "))"
    }
    let positives = labels.filter { $0 }.count
    return ["when"]
      + (evidence.inputs.map { ["  said first:"] + $0.prefix(top).map(line) } ?? said(nil))
      + ["  truth: \(positives) of \(labels.count) prompts set the behaviour off (*)"]
      + score(.when)
  }

  private var `where`: [String] {
    guard cell.trial.role == .planted else { return [] }
    let written = cell.truth.sites
    func mark(_ claim: SiteClaim) -> String {
      "\(claim.site)\(written?.contains(claim.site) == true ? "*" : "") \(claim.score)"
    }
    let truth = written.map { $0.map(\.description).joined(separator: ", ") } ?? "anywhere"
    return ["where"]
      + said(evidence.sites.map { $0.prefix(top).map(mark).joined(separator: ", ") })
      + ["  truth: training was allowed to write \(truth)"] + score(.where)
  }

  private var how: [String] {
    guard cell.truth.behavior != nil else { return [] }
    var lines = ["how"]
    lines += said(evidence.interventions.map { $0.map(\.summary).joined(separator: "; ") })
    if let effects = cell.effects {
      let along = effects.proposed?.map { levels($0.levels) }.joined(separator: ", ")
      lines.append("  behaviour: \(levels(effects.plain)) in base and finetuned model")
      lines.append(
        "  with the first intervention put in and taken out, along the budget: "
          + (along ?? "not measured"))
      let kinds = effects.controls.map(\.kind).joined(separator: ", ")
      if !kinds.isEmpty { lines.append("  beside the same operation elsewhere: \(kinds)") }
    }
    return lines + score(.how)
  }

  private func levels(_ levels: MeasuredEffects.Levels) -> String {
    "\(Prose.number(levels.base)) and \(Prose.number(levels.finetuned))"
  }

  // MARK: Parts

  private func said(_ text: String?) -> [String] {
    ["  said: \(text ?? "the method does not say")"]
  }

  /// A question's score with chance and every figure beside it.
  private func score(_ question: Question) -> [String] {
    guard let score = cell.trial.score(question) else { return [] }
    guard let value = score.value else {
      let counted = score.chance.map { "; it counts as chance, \(Prose.number($0))" } ?? ""
      return ["  score: none, \(score.reason ?? "")\(counted)"]
    }
    let figures = score.figures.sorted { $0.key.name < $1.key.name }
      .map { "\($0.key.name) \(Prose.number($0.value))" }
    let beside = figures.isEmpty ? "" : "; " + figures.joined(separator: ", ")
    return ["  score: \(Prose.number(value)) (chance \(Prose.number(score.chance)))\(beside)"]
  }

  private var exhibits: [String] {
    let text = ExhibitText(tokenizer: tokenizer, prompts: prompts)
    return evidence.exhibits.isEmpty
      ? [] : ["exhibits"] + evidence.exhibits.flatMap { text.lines($0).map { "  \($0)" } }
  }

  /// What input claims of the exhibits refer to.
  private var prompts: TokenBatch? {
    cell.evidence.cell.row.access == .pool ? TokenBatch(cell.pool) : nil
  }

  private func word(_ token: Int) -> String { tokenizer.word(token) }
}
