internal import Tensors
public import Transformers

/// A number of samples; equal requests are drawn once a model.
public struct SampleRequest: RecordingKey {
  /// What each sample continues.
  public let prompts: [[Int]]
  /// Tokens in each.
  public let length: Int
  /// Decides what is drawn; both models draw with the same random numbers.
  public let seed: UInt64

  /// Asks for continuations of prompts.
  public init(continuing prompts: [[Int]], length: Int, seed: UInt64 = 0) {
    self.prompts = prompts
    self.length = length
    self.seed = seed
  }

  /// Asks for free samples, from the token that starts a document.
  public init(start: Int, count: Int, length: Int, seed: UInt64 = 0) {
    self.init(continuing: Array(repeating: [start], count: count), length: length, seed: seed)
  }

  /// Tokens that go through the model.
  public var tokens: Int { prompts.reduce(0) { $0 + $1.count + length - 1 } }

  /// Draws the samples of a model.
  public func record(_ model: any LanguageModel) -> [[Int]] {
    var sampler = TokenSampler(seed: seed)
    return model.continuations(of: prompts, count: length, using: &sampler)
  }
}
