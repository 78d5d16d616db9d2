import Foundation
import Synchronization
import Transformers

/// One line on a terminal that says how far a training is; silent when piped.
final class ProgressLine: Sendable {
  private let title: String
  private let terminal = TerminalLine()
  private let state = Mutex((tokens: 0, start: Date(), shown: Date.distantPast))

  init(_ title: String) { self.title = title }

  /// Shows a training's last step.
  func show(_ status: TrainingStatus) {
    guard terminal.isThere else { return }
    state.withLock { state in
      state.tokens += status.tokens
      let now = Date()
      guard now.timeIntervalSince(state.shown) > 0.1 || status.step == status.steps else { return }
      state.shown = now
      let seconds = max(now.timeIntervalSince(state.start), 1e-3)
      let left = seconds / Double(status.step) * Double(status.steps - status.step)
      let line =
        "\(title): step \(status.step)/\(status.steps), loss \(fixed(status.loss, 3)), "
        + "\(Int(Double(state.tokens) / seconds)) tokens/s, \(Int(left.rounded(.up))) s left"
      terminal.show(line)
    }
  }

  /// Clears the line.
  func finish() { terminal.show("") }
}

/// One line on a terminal that says how many of all are done; silent when piped.
struct CountLine: Sendable {
  private let verb: String
  private let terminal = TerminalLine()

  init(_ verb: String) { self.verb = verb }

  @Sendable func show(_ done: Int, _ all: Int) { terminal.show("\(verb) \(done) of \(all)") }

  func finish() { terminal.show("") }
}

/// The last line of a terminal, written over and over; silent when piped.
struct TerminalLine: Sendable {
  let isThere = isatty(STDERR_FILENO) == 1

  /// Shows a text in the place of the last one.
  func show(_ text: String) {
    if isThere { FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8)) }
  }
}

/// A number with a fixed count of decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  String(format: "%.\(decimals)f", value)
}
