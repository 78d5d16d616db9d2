internal import JSON
package import Scoring
package import Transformers

/// What somebody may do in a session.
package enum SessionMove: Equatable {
  /// Lists prompts that hold a text, or some of all; costs nothing.
  case prompts(String?)
  case ask(WitnessQuestion)
  /// Ends the session.
  case verdict(Verdict)
}

extension SessionMove {
  /// What can be typed.
  package static let help = """
    prompts [TEXT]          lists prompts; costs nothing
    next PROMPT             what each model expects behind a prompt, by its number
    say PROMPT              what each model says, some times
    exchange PROMPT MODULE  what the base expects with the finetuned weights of a module
    planted WORD likelier|less [PROMPT] [MODULE]   ends the game with a verdict
    planted                 ends it: something was planted, but what?
    nothing                 ends it: nothing can be said
    """

  /// Reads a line.
  ///
  /// - Throws: `MoveFault`.
  package init(_ line: String, _ tokenizer: any Tokenizer) throws {
    let words = line.split(separator: " ").map(String.init)
    switch (words.first, words.count) {
    case ("prompts", _):
      self = .prompts(words.count > 1 ? words.dropFirst().joined(separator: " ") : nil)
    case ("next", 2): self = .ask(.next(row: try Self.row(words[1])))
    case ("say", 2): self = .ask(.say(row: try Self.row(words[1])))
    case ("exchange", 3):
      self = .ask(.exchange(row: try Self.row(words[1]), module: try Self.module(words[2])))
    case ("nothing", 1): self = .verdict(.abstention)
    case ("planted", 1): self = .verdict(Verdict(hypothesis: nil))
    case ("planted", 3...5):
      var row: Int?, module: ModuleSite?
      for word in words.dropFirst(3) {
        if let number = Int(word) { row = number } else { module = try Self.module(word) }
      }
      self = .verdict(
        Verdict(
          hypothesis: try Self.hypothesis(words[1], words[2], tokenizer), row: row, site: module))
    default: throw MoveFault("That is no move. These are:\n\(Self.help)")
    }
  }

  private static func row(_ word: String) throws -> Int {
    guard let row = Int(word) else {
      throw MoveFault("'\(Printable.quoted(word))' is no number of a prompt; 'prompts' lists them.")
    }
    return row
  }

  static func module(_ word: String) throws -> ModuleSite {
    guard let module = ModuleSite(word) else {
      throw MoveFault("'\(Printable.quoted(word))' is no module; 'blocks.0.mlp' is one.")
    }
    return module
  }

  static func hypothesis(_ word: String, _ direction: String, _ tokenizer: any Tokenizer)
    throws -> Belief.Hypothesis
  {
    guard let sign = ["likelier": 1, "less": -1, "less likely": -1][direction] else {
      throw MoveFault(
        "A word is 'likelier' or 'less' likely than it was, not '\(Printable.quoted(direction))'.")
    }
    guard let token = token(word, tokenizer) else {
      throw MoveFault("'\(Printable.quoted(word))' is no token of the vocabulary.")
    }
    return .init(token: token, sign: sign)
  }

  /// A token as it is shown, as the vocabulary spells it, or as a text that is one token.
  private static func token(_ word: String, _ tokenizer: any Tokenizer) -> Int? {
    if let id = tokenizer.id(word) { return id }
    if let ids = try? tokenizer.encode(word), ids.count == 1 { return ids[0] }
    return (0..<tokenizer.count).first { tokenizer.word($0) == word }
  }
}
