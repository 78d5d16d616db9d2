package import Diffing
internal import Foundation
package import Transformers

/// Evidence as lines of text.
package struct EvidenceText {
  package let text: String

  /// - Parameters:
  ///   - evidence: What a method claims.
  ///   - unit: What *whether* is counted in.
  ///   - tokenizer: Knows the words of token ids; ids are shown without it.
  ///   - prompts: The rows that *when* names.
  ///   - top: How many claims of each kind to show.
  ///   - standing: What the magnitude is worth.
  package init(
    _ evidence: Evidence, unit: String?, tokenizer: (any Tokenizer)?, prompts: TokenBatch,
    top: Int, standing: (Double) -> String?
  ) {
    let names = TokenNames(tokenizer)
    var lines: [String] = []
    func add(_ question: String, _ text: String) {
      lines.append(Prose.wrapped("\(question): \(text)", indent: "    "))
    }
    if evidence.isEmpty { lines.append("nothing found") }
    if let magnitude = evidence.magnitude {
      add(
        "whether",
        rounded(magnitude) + (unit.map { " \($0)" } ?? "")
          + (standing(magnitude).map { " (\($0))" } ?? ""))
    }
    for (sign, name) in [(1, "promoted"), (-1, "suppressed")] {
      let words = (evidence.tokens ?? []).filter { $0.sign == sign }.prefix(top)
        .map { names.word($0.token) }
      if !words.isEmpty { add("what, \(name)", words.joined(separator: " ")) }
    }
    if let inputs = evidence.inputs {
      let frame = RowFrame(prompts)
      add(
        "when",
        "the rows that set it off most, and how much"
          + (frame.isEmpty ? "" : "; what begins and ends all of them is left out"))
      for claim in inputs.prefix(top) {
        let row = (0..<prompts.rows).contains(claim.row) ? Array(prompts.row(claim.row)) : []
        lines.append(
          Prose.wrapped(
            "  \(claim.row): \(names.text(frame.within(row))) (\(rounded(claim.score)))",
            indent: "      ",
            keepsLayout: true))
      }
    }
    if let sites = evidence.sites {
      add(
        "where",
        sites.prefix(top).map { "\($0.site) (\(rounded($0.score)))" }.joined(separator: ", "))
    }
    if let interventions = evidence.interventions {
      add("how", interventions.map(\.summary).joined(separator: ", "))
    }
    text = lines.map { "  \($0)" }.joined(separator: "\n")
  }
}

/// A figure in four digits.
func rounded(_ value: some BinaryFloatingPoint) -> String {
  String(format: "%.4g", Double(value))
}
