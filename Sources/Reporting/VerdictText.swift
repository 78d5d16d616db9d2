package import Scoring
package import Transformers

/// What somebody says of a pair, in a sentence.
package struct VerdictText {
  private let verdict: Verdict
  private let tokenizer: (any Tokenizer)?
  private let prompts: [[Int]]

  /// - Parameters:
  ///   - verdict: What is said.
  ///   - tokenizer: Knows the words of token ids.
  ///   - prompts: The prompts that verdicts name.
  package init(_ verdict: Verdict, tokenizer: (any Tokenizer)?, prompts: [[Int]]) {
    self.verdict = verdict
    self.tokenizer = tokenizer
    self.prompts = prompts
  }

  package var text: String {
    verdict.asserts ? "Something was planted: \(claim)." : "Nothing can be said."
  }

  /// What is said to be planted, without the end of a sentence.
  var claim: String {
    let token = verdict.hypothesis.map { hypothesis in
      "'\(TokenNames(tokenizer).word(hypothesis.token))' is \(hypothesis.sign > 0 ? "likelier" : "less likely") than it was"
    }
    let row = verdict.row.map { "most behind \"\(PromptNames(tokenizer, prompts).text($0))\"" }
    let site = verdict.site.map { "likeliest in \($0)" }
    return ([token ?? "no token is named"] + [row, site].compactMap(\.self)).joined(separator: ", ")
  }
}

/// Prompts as people read them, without what all of them begin and end with.
struct PromptNames {
  private let names: TokenNames
  private let prompts: [[Int]]

  init(_ tokenizer: (any Tokenizer)?, _ prompts: [[Int]]) {
    names = TokenNames(tokenizer)
    self.prompts = prompts
  }

  func text(_ row: Int) -> String {
    names.text(RowFrame(TokenBatch(prompts)).within(prompts[row]))
  }
}
