internal import Synchronization
public import Tensors
public import Transformers

/// Something that can be computed of one model and kept: whoever needs it names it by a key.
///
/// A method that needs what nobody records yet brings a key of its own.
public protocol RecordingKey: Hashable, Sendable {
  associatedtype Value: Sendable

  /// Tokens that go through the model.
  var tokens: Int { get }

  /// Computes the value.
  func record(_ model: any LanguageModel) -> Value
}

/// A forward pass that records some sites.
public struct PassRequest: RecordingKey {
  /// What is read.
  public let text: TokenBatch
  /// The sites to record.
  public let sites: Set<ActivationSite>

  /// Asks for a pass.
  public init(_ text: TokenBatch, sites: Set<ActivationSite>) {
    self.text = text
    self.sites = sites
  }

  /// Tokens that go through the model.
  public var tokens: Int { text.count }

  /// Computes what is asked for.
  public func record(_ model: any LanguageModel) -> RecordedPass {
    RecordedPass(model, text, sites: sites)
  }
}

/// The singular values of a tensor and all vectors of its shorter side.
public struct BasisRequest: RecordingKey {
  /// The tensor's name.
  public let tensor: String

  /// Asks for what a tensor spans.
  public init(_ tensor: String) { self.tensor = tensor }

  /// Tokens that go through the model.
  public var tokens: Int { 0 }

  /// Computes what is asked for.
  public func record(_ model: any LanguageModel) -> Result<SingularBasis, DecompositionError> {
    let parameters = model.parameters
    return Result { () throws(DecompositionError) in
      try SingularBasis(
        columns: parameters.layout[tensor].columns, rows: parameters.rowGroups(of: tensor)
      ) { parameters.rows($0, of: tensor) }
    }
  }
}

/// The singular values of a tensor and the first of its vectors.
public struct SpectrumRequest: RecordingKey {
  /// The tensor's name.
  public let tensor: String
  /// How many vectors are kept.
  public let kept: Int

  /// Asks for a tensor's spectrum.
  public init(_ tensor: String, keeping kept: Int) {
    self.tensor = tensor
    self.kept = kept
  }

  /// Tokens that go through the model.
  public var tokens: Int { 0 }

  /// Computes what is asked for.
  public func record(_ model: any LanguageModel) -> Result<SingularSpectrum, DecompositionError> {
    let parameters = model.parameters
    return Result { () throws(DecompositionError) in
      try SingularSpectrum(
        columns: parameters.layout[tensor].columns, rows: parameters.rowGroups(of: tensor),
        keeping: kept
      ) { parameters.rows($0, of: tensor) }
    }
  }
}

/// What was computed of one model, to be shared: by the methods of a pair, and of the base by all pairs.
public final class Recordings: Sendable {
  private struct Entry {
    let value: any Sendable
    let seconds: Double
  }

  private let entries = Mutex<[AnyHashable: Entry]>([:])

  /// Nothing recorded yet.
  public init() {}

  /// The value for a key, computed once.
  ///
  /// - Parameters:
  ///   - key: What is asked for.
  ///   - make: Computes it; called at most once a key. It must not ask these recordings for anything.
  /// - Returns: The value; what it took to compute, and whether that was done now.
  func value<Key: RecordingKey>(_ key: Key, make: () -> Key.Value) -> (
    value: Key.Value, seconds: Double, isNew: Bool
  ) {
    // Held while computing, so that two methods never compute the same.
    entries.withLock { entries in
      if let entry = entries[key], let value = entry.value as? Key.Value {
        return (value, entry.seconds, false)
      }
      let clock = ContinuousClock(), start = clock.now
      let value = make()
      let seconds = (clock.now - start) / .seconds(1)
      entries[key] = Entry(value: value, seconds: seconds)
      return (value, seconds, true)
    }
  }
}
