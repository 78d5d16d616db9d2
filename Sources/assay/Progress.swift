import Bench
import Foundation
import Synchronization
import Transformers

/// Shows how far something is: the last line of a terminal, written over and over; elsewhere a line of its own
/// every half a minute, so that a redirected run is not silent.
final class Progress: Sendable {
  /// Seconds between two lines where there is no terminal.
  static let interval = 30.0

  private let isTerminal = isatty(STDERR_FILENO) == 1 && !Notice.isJSON
  private let shown = Mutex(Date())

  /// Shows a text, if it is time.
  func show(_ text: @autoclosure () -> String) {
    guard !Notice.isQuiet else { return }
    let now = Date()
    let isDue = shown.withLock { last in
      guard now.timeIntervalSince(last) > (isTerminal ? 0.1 : Self.interval) else { return false }
      last = now
      return true
    }
    guard isDue else { return }
    if isTerminal { Notice.write("\r\u{1B}[K\(text())") } else { Notice.progress(text()) }
  }

  /// Clears a terminal's line.
  func finish() {
    if isTerminal, !Notice.isQuiet { Notice.write("\r\u{1B}[K") }
  }
}

/// How far a training is.
final class TrainingProgress: Sendable {
  private let title: String
  private let progress = Progress()
  private let state = Mutex((tokens: 0, start: Date()))

  init(_ title: String) { self.title = title }

  /// Shows a training's last step.
  func show(_ status: TrainingStatus) {
    let (tokens, start) = state.withLock { state in
      state.tokens += status.tokens
      return state
    }
    let seconds = max(Date().timeIntervalSince(start), 1e-3)
    let left = seconds / Double(status.step) * Double(status.steps - status.step)
    progress.show(
      "\(title): step \(status.step)/\(status.steps), loss \(fixed(status.loss, 3)), "
        + "\(Int(Double(tokens) / seconds)) tokens/s, \(Int(left.rounded(.up))) s left")
  }

  func finish() { progress.finish() }
}

/// How many of all are done.
struct CountProgress: Sendable {
  private let verb: String
  private let progress = Progress()

  init(_ verb: String) { self.verb = verb }

  @Sendable func show(_ done: Int, _ all: Int) { progress.show("\(verb) \(done) of \(all)") }

  func finish() { progress.finish() }
}

/// How far a run is, and how long it goes on.
final class BenchStatus: Sendable {
  private struct State {
    var done = 0
    /// Pairs of which something was measured now; the others take no time.
    var measured = 0
    var trials = 0
    var failures: [String] = []
    let start = Date()
    /// When the first pair was opened.
    var firstOpened: Date?
  }

  private let pairs: Int
  private let progress = Progress()
  private let state = Mutex(State())

  init(pairs: Int) { self.pairs = pairs }

  /// Shows what a run tells.
  @Sendable func show(_ event: BenchRun.Event) {
    switch event {
    case .opening(let pair, let seeds):
      state.withLock { if $0.firstOpened == nil { $0.firstOpened = Date() } }
      Notice.detail("opens \(pair) on \(seeds)")
      progress.show("\(text) now \(pair) on \(seeds)")
    case .finished(let trials, let new):
      state.withLock { state in
        state.done += 1
        state.trials += trials
        if new > 0 { state.measured += 1 }
      }
      Notice.detail("\(trials) trials of a pair; \(new) methods were asked now")
      progress.show(text)
    case .failed(let failure):
      Notice.detail(failure.text)
      state.withLock { $0.failures.append(failure.text) }
    }
  }

  /// What has no trial, each in a line, in an order that does not depend on who was first.
  var failures: [String] { state.withLock { $0.failures.sorted() } }

  private var text: String {
    let state = state.withLock { $0 }
    return "\(state.done) of \(pairs) pairs, \(state.trials) trials\(left(state));"
  }

  /// What is left takes as long a pair as what was done; what is kept comes first, and costs nothing.
  private func left(_ state: State) -> String {
    guard let start = state.firstOpened, state.measured > 0 else { return "" }
    let perPair = Date().timeIntervalSince(start) / Double(state.measured)
    return ", about \(Self.duration(perPair * Double(pairs - state.done))) left"
  }

  private static func duration(_ seconds: Double) -> String {
    seconds < 90 ? "\(Int(seconds.rounded(.up))) s" : "\(Int((seconds / 60).rounded(.up))) min"
  }

  func finish() { progress.finish() }
}

/// A number with a fixed count of decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  String(format: "%.\(decimals)f", value)
}

/// Text padded to a column, always followed by a space.
func column(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(1, width - text.count))
}
