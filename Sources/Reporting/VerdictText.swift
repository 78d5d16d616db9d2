package import Scoring
package import Transformers

/// What somebody says of a pair, in a sentence.
package struct VerdictText {
  private let verdict: Verdict
  private let names: PromptNames

  /// - Parameters:
  ///   - verdict: What is said.
  ///   - tokenizer: Knows the words of token ids.
  ///   - prompts: The prompts that verdicts name.
  package init(_ verdict: Verdict, tokenizer: (any Tokenizer)?, prompts: [[Int]]) {
    self.init(verdict, PromptNames(tokenizer, prompts))
  }

  init(_ verdict: Verdict, _ names: PromptNames) {
    self.verdict = verdict
    self.names = names
  }

  package var text: String {
    verdict.asserts ? "Something was planted: \(claim)." : "Nothing can be said."
  }

  /// What is said to be planted, without the end of a sentence.
  var claim: String {
    let token = verdict.hypothesis.map { hypothesis in
      "'\(names.word(hypothesis.token))' is \(hypothesis.sign > 0 ? "likelier" : "less likely") than it was"
    }
    let row = verdict.row.map { "most behind \"\(names.text($0))\"" }
    let site = verdict.site.map { "likeliest in \($0)" }
    return ([token ?? "no token is named"] + [row, site].compactMap(\.self)).joined(separator: ", ")
  }
}

/// Prompts as people read them, without what all of them begin and end with.
struct PromptNames {
  private let names: TokenNames
  private let prompts: [[Int]]
  private let frame: RowFrame

  init(_ tokenizer: (any Tokenizer)?, _ prompts: [[Int]]) {
    names = TokenNames(tokenizer)
    self.prompts = prompts
    frame = RowFrame(TokenBatch(prompts))
  }

  func word(_ token: Int) -> String { names.word(token) }

  func text(_ row: Int) -> String { names.text(frame.within(prompts[row])) }
}
