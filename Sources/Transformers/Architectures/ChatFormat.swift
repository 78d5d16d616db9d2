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

  /// What a model reads when somebody has asked `question` and it is to answer.
  public func prompt(_ question: String) -> String {
    let text = trims ? question.trimmingCharacters(in: .whitespacesAndNewlines) : question
    switch kind {
    case .chatML:
      return start + (system.map { "<|im_start|>system\n\($0)<|im_end|>\n" } ?? "")
        + "<|im_start|>user\n\(text)<|im_end|>\n<|im_start|>assistant\n"
    case .llama3:
      func header(_ role: String) -> String { "<|start_header_id|>\(role)<|end_header_id|>\n\n" }
      return start + (system.map { header("system") + $0 + "<|eot_id|>" } ?? "")
        + header("user") + "\(text)<|eot_id|>" + header("assistant")
    case .gemma:
      return start + "<start_of_turn>user\n\(text)<end_of_turn>\n<start_of_turn>model\n"
    case .zephyr:
      return start + "<|user|>\n\(text)\(end)\n<|assistant|>\n"
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
