internal import Dictionaries
package import Diffing
internal import Tensors
internal import Transformers

/// A dictionary of the base's own activations of a text, and how it explains them: the same for all of a base's pairs.
struct BaseDictionary: Sendable {
  /// The base's stream at the counted tokens, shaped `[tokens, width]`.
  let stream: Tensor
  let dictionary: ITDADictionary
  let codes: SparseCodes
  /// ‖x − x̂‖² / ‖x‖² of each token.
  let errors: [Float]

  /// How it is made.
  struct Settings: Hashable, Sendable {
    /// After which block streams are decomposed, as a share of the depth.
    var depth = 1.0
    /// Atoms, at most; no more than a quarter of the tokens.
    var atoms = 512
    /// Atoms of a code, at most.
    var sparsity = 10
  }

  fileprivate init(
    _ stream: Tensor, _ sources: [ITDADictionary.Provenance], _ settings: Settings
  ) {
    self.stream = stream
    dictionary = ITDADictionary(
      of: stream, from: sources, atoms: max(1, min(settings.atoms, stream.rows / 4)),
      sparsity: settings.sparsity)
    (codes, errors) = dictionary.codesAndErrors(of: stream)
  }
}

extension PromptSet {
  /// Where each counted token of the text stands.
  var countedSources: [ITDADictionary.Provenance] {
    (0..<text.rows).flatMap { row in
      countedTokens(ofRow: row, in: text).map {
        ITDADictionary.Provenance(document: row, position: $0 - text.range(row).lowerBound)
      }
    }
  }
}

/// What a base's dictionary is kept under.
private struct BaseDictionaryRequest: RecordingKey {
  let prompts: PromptSet
  let settings: BaseDictionary.Settings

  /// The activations are asked for, and charged, apart.
  var tokens: Int { 0 }

  static func == (a: Self, b: Self) -> Bool {
    a.settings == b.settings && a.prompts.text == b.prompts.text
      && a.prompts.documentStart == b.prompts.documentStart
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(settings)
    hasher.combine(prompts.text)
  }

  func record(_ model: any LanguageModel) -> BaseDictionary {
    let site = ActivationSite.residualPost(layer: model.shape.block(atDepth: settings.depth))
    return record(model.forward(prompts.text, recording: [site], logits: .none)[site])
  }

  /// The same of what is recorded at the site.
  func record(_ activations: Tensor) -> BaseDictionary {
    BaseDictionary(
      activations.rows(at: prompts.countedTokens), prompts.countedSources, settings)
  }
}

extension ModelPair {
  /// The dictionary of the base's activations of a text.
  func baseDictionary(_ prompts: PromptSet, _ settings: BaseDictionary.Settings) -> BaseDictionary {
    let key = BaseDictionaryRequest(prompts: prompts, settings: settings)
    let site = ActivationSite.residualPost(layer: shape.block(atDepth: settings.depth))
    let activations = activations(.base, at: site, on: prompts.text)
    return recorded(.base, key) { key.record(activations) }
  }

  /// Makes it, as methods ask for it where nothing else is said, for all pairs of the base.
  package func recordBaseDictionary(_ prompts: PromptSet) {
    _ = baseDictionary(prompts, BaseDictionary.Settings())
  }
}
