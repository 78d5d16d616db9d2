internal import Synchronization
internal import Tensors
package import Transformers

/// What was computed of one model, to be shared: by the methods of a pair, and of the base by all pairs.
package final class Recordings: Sendable {
  /// What can be asked for.
  enum Key: Hashable, Sendable {
    case pass(TokenBatch)
    case samples(SampleRequest)
    /// The singular value decomposition of a tensor.
    case decomposition(String)
  }

  enum Value: Sendable {
    case pass(ForwardPass)
    case samples([[Int]])
    case decomposition(SingularValueDecomposition)
  }

  private struct Entry {
    let value: Value
    let seconds: Double
  }

  private let entries = Mutex<[Key: Entry]>([:])

  package init() {}

  /// The value for a key, computed once.
  ///
  /// - Parameters:
  ///   - key: What is asked for.
  ///   - make: Computes it; called at most once a key. It must not ask these recordings for anything.
  /// - Returns: The value; what it took to compute, and whether that was done now.
  func value(_ key: Key, make: () -> Value) -> (value: Value, seconds: Double, isNew: Bool) {
    // Held while computing, so that two methods never compute the same.
    entries.withLock { entries in
      if let entry = entries[key] { return (entry.value, entry.seconds, false) }
      let clock = ContinuousClock(), start = clock.now
      let entry = Entry(value: make(), seconds: (clock.now - start) / .seconds(1))
      entries[key] = entry
      return (entry.value, entry.seconds, true)
    }
  }
}

/// A number of samples; equal requests are drawn once a model.
package struct SampleRequest: Hashable, Sendable {
  /// What each sample continues.
  package let prompts: [[Int]]
  /// Tokens in each.
  package let length: Int
  /// Decides what is drawn; both models draw with the same random numbers.
  package let seed: UInt64

  package init(continuing prompts: [[Int]], length: Int, seed: UInt64 = 0) {
    self.prompts = prompts
    self.length = length
    self.seed = seed
  }

  /// Asks for free samples, from the token that starts a document.
  package init(start: Int, count: Int, length: Int) {
    self.init(continuing: Array(repeating: [start], count: count), length: length)
  }

  /// The free samples that several methods compare with.
  static func free(_ prompts: PromptPool) -> SampleRequest {
    SampleRequest(start: prompts.documentStart, count: 192, length: 32)
  }

  /// Tokens that go through the model.
  var tokens: Int { prompts.reduce(0) { $0 + $1.count + length - 1 } }

  /// Draws the samples of a model.
  package func draw(from model: any LanguageModel) -> [[Int]] {
    var sampler = TokenSampler(seed: seed)
    return model.continuations(of: prompts, count: length, using: &sampler)
  }
}
