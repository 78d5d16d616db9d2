internal import Diffing
package import Tensors
package import Transformers

/// Reads vectors of the residual stream as tokens.
package struct LogitLens: Sendable {
  private let norm: any LanguageModel
  private let unembedding: any LanguageModel

  /// The lens of a model: its final norm and its unembedding (nostalgebraist, 2020).
  package init(_ model: any LanguageModel) { self.init(finalNorm: model, unembedding: model) }

  /// A lens of parts of two models.
  init(finalNorm: any LanguageModel, unembedding other: any LanguageModel) {
    norm = finalNorm
    unembedding = other
  }

  /// Scores of all tokens along directions, shaped `[directions, vocabulary]`.
  ///
  /// A direction's length means nothing here, so it is not normalised: the final norm would turn a
  /// vector of noise into a confident list. Its gain is folded in.
  package func scores(along directions: Tensor) -> Tensor {
    unembedding.parameters.readout(
      Matrix(norm.throughFinalNorm(directions)), through: unembedding.names.unembedding)
  }

  /// Logits that the model would give if it stopped at these activations, shaped `[rows, vocabulary]`.
  package func logits(of activations: Tensor) -> Tensor {
    unembedding.logits(ofNormed: norm.finalNorm(of: activations))
  }
}

extension ModelPair {
  /// What each changed part above the blocks adds to a figure, read through one lens or another.
  ///
  /// Of two changed parts each gets the mean over both orders of adding them (Shapley, 1953): what they bring
  /// together would else be the first's.
  func contributionsAboveBlocks(to figure: (LogitLens) -> Double) -> [(ModuleSite, Double)] {
    guard !changedAboveBlocks.isEmpty else { return [] }
    func value(_ norm: Side, _ unembedding: Side) -> Double {
      figure(LogitLens(finalNorm: model(norm), unembedding: model(unembedding)))
    }
    let none = value(.base, .base), both = value(.finetuned, .finetuned)
    let norm = value(.finetuned, .base), unembedding = value(.base, .finetuned)
    return [
      (base.names.module(of: base.names.finalNorm), (norm - none + both - unembedding) / 2),
      (base.names.module(of: base.names.unembedding), (unembedding - none + both - norm) / 2),
    ]
  }
}

extension ModelShape {
  /// The block at a share of the depth: 0 is the first, 1 the last.
  func block(atDepth depth: Double) -> Int { Int((depth * Double(layers - 1)).rounded()) }
}

/// The blocks whose residual stream lenses read: the upper half, where tokens are legible.
package func readableLayers(_ layers: Int) -> [Int] { Array(layers / 2..<layers) }
