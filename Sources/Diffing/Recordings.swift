internal import Synchronization

/// Results that methods share, by what was asked for; each is computed once.
///
/// Whoever asks first computes; whoever asks later is told what that took, so that a method's cost is
/// what it would have cost alone.
final class Recordings<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Entry {
    let value: Value
    let seconds: Double
    /// In which measurement the entry was last asked for.
    var window: Int
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    var window = 0
  }

  private let state = Mutex(State())

  /// Starts a new measurement: what is asked for again counts as shared.
  func startWindow() { state.withLock { $0.window += 1 } }

  /// The value for a key.
  ///
  /// - Parameters:
  ///   - key: What is asked for.
  ///   - make: Computes it; called at most once a key. It must not ask these recordings for anything.
  ///   - shared: Told the seconds it took, if an earlier measurement made it and this one had not asked.
  func value(_ key: Key, make: () -> Value, shared: (Double) -> Void) -> Value {
    // Held while computing, so that two methods never compute the same.
    state.withLock { state in
      if let entry = state.entries[key] {
        if entry.window != state.window {
          state.entries[key]?.window = state.window
          shared(entry.seconds)
        }
        return entry.value
      }
      let clock = ContinuousClock(), start = clock.now
      let value = make()
      let seconds = (clock.now - start) / .seconds(1)
      state.entries[key] = Entry(value: value, seconds: seconds, window: state.window)
      return value
    }
  }
}
