package import Bench
package import Transformers

/// What a dictionary says of two models, as lines of text.
package struct ITDAComparisonText {
  package let text: String

  /// - Parameters:
  ///   - result: What was compared.
  ///   - contexts: The tokens up to the one that each atom is the activation of.
  ///   - tokenizer: Knows the words of token ids; ids are shown without it.
  ///   - top: How many atoms and tokens to show.
  package init(
    _ result: ITDAComparison.Result, contexts: [[Int]], tokenizer: (any Tokenizer)?, top: Int
  ) {
    let names = TokenNames(tokenizer)
    let lines =
      [
        "block \(result.layer): atoms \(result.atoms), tokens \(result.tokens), rows \(result.documents)",
        Self.models(result),
        "overlap of two dictionaries of this text, one of each model: \(rounded(result.overlap))",
      ] + Self.growth(result, contexts.map(names.text), top)
      + Self.newAtoms(result.newContexts.map(names.text), top)
    text = lines.joined(separator: "\n")
  }

  private static func models(_ result: ITDAComparison.Result) -> String {
    let (unexplained, active) = (result.unexplained, result.active)
    return TextTable(
      header: ["model", "left over", "atoms a token", "would be atoms"],
      rows: [
        [
          "base", rounded(unexplained.base), rounded(active.base),
          count(result.newAtoms.base.count),
        ],
        [
          "finetuned", rounded(unexplained.finetuned), rounded(active.finetuned),
          count(result.newAtoms.finetuned.count),
        ],
      ]
    ).text
  }

  private static func count(_ new: Int) -> String {
    new < ITDAComparison.mostNewAtoms ? "\(new)" : "\(new) or more"
  }

  private static func growth(_ result: ITDAComparison.Result, _ contexts: [String], _ top: Int)
    -> [String]
  {
    guard !result.sortedIndices.isEmpty else {
      return ["The models' activations are the same, so no atom is used more."]
    }
    let grown = result.sortedIndices.prefix(top).filter { result.activationDifferences[$0] > 0 }
    guard !grown.isEmpty else { return ["No atom is used more."] }
    return [
      "Atoms that are used more, \(sure(result)):",
      TextTable(
        header: ["atom", "activation at the end of", "growth", "t", "chance"],
        rows: grown.map { atom in
          [
            "\(atom)", end(of: contexts[atom]), rounded(result.activationDifferences[atom]),
            rounded(result.standardised[atom]), rounded(result.chances[atom]),
          ]
        }, names: 2
      ).text,
    ]
  }

  /// How many grew more than chance allows; of fewer than six rows none can, as all their signs turn alike too often.
  private static func sure(_ result: ITDAComparison.Result) -> String {
    guard result.documents > 5 else { return "and whether by chance, so few rows do not tell" }
    let count = zip(result.chances, result.standardised).count { $0 <= 0.05 && $1 > 0 }
    return "\(count) of them more than chance allows (5 % for all together)"
  }

  /// As much of a text as a column holds.
  private static func end(of text: String, _ length: Int = 52) -> String {
    text.count > length ? "…\(text.suffix(length - 1))" : text
  }

  private static func newAtoms(_ contexts: [String], _ top: Int) -> [String] {
    guard !contexts.isEmpty else { return [] }
    return ["Tokens that would be atoms of the finetuned model alone:"]
      + contexts.prefix(top).map { "  \(end(of: $0, TextTable.width - 2))" }
  }
}
