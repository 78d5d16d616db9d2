package import Diffing
internal import Synchronization
package import Transformers

/// Recordings of bases that many pairs have in common.
///
/// A base and the same with bias tensors added are two models.
package final class BaseRecordings: Sendable {
  private let known = Mutex<[(parameters: Parameters, recordings: Recordings)]>([])

  package init() {}

  /// The recordings of a model with these weights.
  package func of(_ model: any LanguageModel) -> Recordings {
    known.withLock { known in
      if let entry = known.first(where: { $0.parameters == model.parameters }) {
        return entry.recordings
      }
      let recordings = Recordings()
      known.append((model.parameters, recordings))
      return recordings
    }
  }
}
