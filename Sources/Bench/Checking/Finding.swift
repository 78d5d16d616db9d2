/// What one check of a model or a pair found.
package struct Finding: Sendable, Equatable {
  /// How bad it is.
  package enum Level: String, Sendable {
    case ok, note, fault
  }

  package let level: Level
  /// What was looked at, in a word or two.
  package let topic: String
  /// What was found, and, if it is not well, what to do.
  package let text: String

  /// The text, unless all is well.
  var warning: String? { level == .ok ? nil : text }

  init(_ level: Level, _ topic: String, _ text: String) {
    self.level = level
    self.topic = topic
    self.text = text
  }
}
