internal import Foundation

/// How a family of models has its chats written, recognised by its template.
///
/// Templates are programs; of those that are recognised, the text that they make of one question is written here.
public struct ChatFormat: Sendable, Equatable {
  /// A way to mark turns.
  public enum Kind: String, Sendable, CaseIterable {
    case chatML = "ChatML"
    case llama3 = "Llama 3"
    case gemma = "Gemma"
    case zephyr = "Zephyr"
  }

  /// The way to mark turns.
  public let kind: Kind
  /// What the system says if nobody else does; nil if nothing.
  public let system: String?
  /// The texts of the tokens that start a document and end a turn, as the template puts them; empty if it does not.
  private let start, end: String
  private let trims: Bool

  /// Recognises a template; nil if it is of no kind that is known.
  ///
  /// - Parameters:
  ///   - template: The Jinja program.
  ///   - start: The text of the token that starts a document.
  ///   - end: That of the token that ends one.
  package init?(template: String, start: String, end: String) {
    guard let kind = Kind.allCases.first(where: { $0.marks(template) }) else { return nil }
    self.kind = kind
    self.start = template.contains("bos_token") ? start : ""
    self.end = end
    trims = ["| trim", "|trim", ".strip()"].contains(where: template.contains)
    system = kind.system(in: template)
  }

  /// Recognises a template with the texts of the tokens that it may put at the ends.
  init?(_ chat: (template: String, start: String, end: String)) {
    self.init(template: chat.template, start: chat.start, end: chat.end)
  }

  /// Who speaks.
  package enum Role: String, Sendable, CaseIterable {
    case system, user, assistant

    /// What starts a turn where texts are written for any model: `<user>`.
    package var mark: String { "<\(rawValue)>" }
  }

  /// What somebody says at once.
  package struct Turn: Sendable, Equatable {
    package let role: Role
    package let text: String

    package init(role: Role, text: String) { (self.role, self.text) = (role, text) }
  }

  /// What a model reads when somebody has asked `question` and it is to answer.
  public func prompt(_ question: String) -> String {
    said([Turn(role: .user, text: question), Turn(role: .assistant, text: "")]).before
  }

  /// What a model reads of a chat.
  ///
  /// - Parameter turns: The turns; if none of them is the system's, it says what it says by itself.
  /// - Returns: What stands before the last turn's text, that text, and what ends the turn.
  package func said(_ turns: [Turn]) -> (before: String, answer: String, end: String) {
    let (opening, turns) = opened(turns)
    guard let last = turns.last else { return (opening, "", "") }
    let before = turns.dropLast().reduce(opening) {
      $0 + kind.header($1.role) + text($1) + kind.end(end)
    }
    return (before + kind.header(last.role), text(last), kind.end(end))
  }

  /// What stands before the first turn, and the turns that follow.
  private func opened(_ turns: [Turn]) -> (String, [Turn]) {
    guard turns.first?.role == .system, turns.count > 1 else {
      // What the system says by itself is not trimmed.
      return (start + (system.map { kind.header(.system) + $0 + kind.end(end) } ?? ""), turns)
    }
    switch kind {
    case .chatML, .zephyr: return (start, turns)
    case .gemma: return (start, Self.withoutSystem(turns))
    case .llama3:
      // The model's age and a day stand before whatever the system is told to say.
      guard let system else { return (start, turns) }
      let said = kind.header(.system) + system + text(turns[0]) + kind.end(end)
      return (start + said, Array(turns.dropFirst()))
    }
  }

  private func text(_ turn: Turn) -> String {
    trims ? turn.text.trimmingCharacters(in: .whitespacesAndNewlines) : turn.text
  }

  /// Gemma knows no system: what it says stands before the first question.
  private static func withoutSystem(_ turns: [Turn]) -> [Turn] {
    [Turn(role: turns[1].role, text: "\(turns[0].text)\n\n\(turns[1].text)")] + turns.dropFirst(2)
  }

  /// A chat with its turns marked as where texts are written for any model, and no ends of turns.
  package func marked(_ text: String) -> String {
    // Where the system has no mark of its own, it is the user's.
    [Role.user, .assistant, .system].reduce(text) {
      $0.replacing(kind.header($1), with: " \($1.mark) ")
    }.replacing(kind.end(end).trimmingCharacters(in: .newlines), with: " ")
  }
}

extension ChatFormat.Kind {
  /// What starts a turn.
  fileprivate func header(_ role: ChatFormat.Role) -> String {
    switch self {
    case .chatML: "<|im_start|>\(role.rawValue)\n"
    case .llama3: "<|start_header_id|>\(role.rawValue)<|end_header_id|>\n\n"
    case .gemma: "<start_of_turn>\(role == .assistant ? "model" : "user")\n"
    case .zephyr: "<|\(role.rawValue)|>\n"
    }
  }

  /// What ends one, given the text of the token that ends a document.
  fileprivate func end(_ end: String) -> String {
    switch self {
    case .chatML: "<|im_end|>\n"
    case .llama3: "<|eot_id|>"
    case .gemma: "<end_of_turn>\n"
    case .zephyr: "\(end)\n"
    }
  }
}

extension ChatFormat.Kind {
  /// What stands in every template of a kind, and what only others have.
  private var marks: (needed: [String], foreign: [String]) {
    switch self {
    case .chatML: (["<|im_start|>", "<|im_end|>", "assistant"], ["<|im_sep|>"])
    case .llama3: (["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], [])
    case .gemma: (["<start_of_turn>", "<end_of_turn>", "model"], [])
    case .zephyr: (["<|user|>", "<|assistant|>", "eos_token"], ["<|end|>", "<|eot|>"])
    }
  }

  fileprivate func marks(_ template: String) -> Bool {
    let isMarked =
      marks.needed.allSatisfy(template.contains)
      && !marks.foreign.contains(where: template.contains)
    // Others mark turns so too, but end only what the model says.
    return self == .zephyr
      ? isMarked && template.contains(/<\|user\|>[^%}]*content[^%}]*eos_token/) : isMarked
  }

  /// What a template lets the system say by itself: a text that is written out in it.
  fileprivate func system(in template: String) -> String? {
    switch self {
    case .chatML:
      let match = template.firstMatch(
        of: /<\|im_start\|>system(?:\\n|\n)(?<text>[^'"{}<]+)<\|im_end\|>/)
      return match.map { String($0.text).replacing("\\n", with: "\n") }
    case .llama3:
      // From 3.1 on it says how old the model is, and a day: that of the template, not today's.
      guard template.contains("Cutting Knowledge Date: December 2023"),
        let match = template.firstMatch(of: /date_string = "(?<day>[^"]+)"/)
      else { return nil }
      return "Cutting Knowledge Date: December 2023\nToday Date: \(match.day)\n\n"
    case .gemma, .zephyr: return nil
    }
  }
}
