import Foundation
import Synchronization
import Transformers

/// One line on a terminal that says how far a training is; silent when piped.
final class ProgressLine: Sendable {
  private let title: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let state = Mutex((tokens: 0, start: Date(), shown: Date.distantPast))

  init(_ title: String) { self.title = title }

  /// Shows a training's last step.
  func show(_ status: TrainingStatus) {
    guard isTerminal else { return }
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
      write("\r\u{1B}[K\(line)")
    }
  }

  /// Clears the line.
  func finish() { if isTerminal { write("\r\u{1B}[K") } }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// One line on a terminal that says how many of all are done; silent when piped.
struct CountLine: Sendable {
  private let verb: String
  private let isTerminal = isatty(STDERR_FILENO) == 1

  init(_ verb: String) { self.verb = verb }

  @Sendable func show(_ done: Int, _ all: Int) { write("\r\u{1B}[K\(verb) \(done) of \(all)") }

  func finish() { write("\r\u{1B}[K") }

  private func write(_ text: String) {
    if isTerminal { FileHandle.standardError.write(Data(text.utf8)) }
  }
}

/// A number with a fixed count of decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  String(format: "%.\(decimals)f", value)
}
