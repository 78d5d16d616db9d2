internal import Synchronization
package import Tensors
package import Transformers

/// A base and a finetuned model, with recordings that all methods share.
package struct ModelPair: Sendable {
  package let base: any LanguageModel
  package let finetuned: any LanguageModel
  private let cache = PassCache()

  /// Which of the two.
  package enum Side: Hashable, Sendable {
    case base, finetuned
  }

  /// Pairs two models.
  ///
  /// - Throws: `DiffingError` if they differ in anything but the values of their weights.
  package init(base: any LanguageModel, finetuned: any LanguageModel) throws(DiffingError) {
    let names = (type(of: base).architecture, type(of: finetuned).architecture)
    guard names.0 == names.1 else {
      throw .differentArchitectures(base: names.0, finetuned: names.1)
    }
    let layouts = (base.parameters.layout, finetuned.parameters.layout)
    for name in layouts.0.names + layouts.1.names {
      let shapes = (layouts.0.find(name)?.shape, layouts.1.find(name)?.shape)
      guard shapes.0 == shapes.1 else {
        throw .differentShapes(tensor: name, base: shapes.0, finetuned: shapes.1)
      }
    }
    guard base.shape.computesLike(finetuned.shape) else { throw .differentConfigurations }
    self.base = base
    self.finetuned = finetuned
  }

  package func model(_ side: Side) -> any LanguageModel { side == .base ? base : finetuned }
  package var shape: ModelShape { base.shape }

  /// Whether the weights are the same bytes: then there is nothing to find.
  package var isIdentical: Bool { base.parameters == finetuned.parameters }

  /// The change of one tensor.
  package func change(of name: String) -> Tensor {
    finetuned.parameters[name] - base.parameters[name]
  }

  /// A forward pass with every residual stream, branch output and logit, computed once.
  package func pass(_ side: Side, on text: TokenBatch) -> ForwardPass {
    cache.pass(side, text) {
      let model = model(side)
      return model.forward(text, recording: Self.sites(model.shape.layers), logits: .all)
    }
  }

  private static func sites(_ layers: Int) -> Set<ActivationSite> {
    Set(
      (0..<layers).flatMap { layer in
        [
          .residualPre(layer: layer), .residualMid(layer: layer), .residualPost(layer: layer),
          .attentionOutput(layer: layer), .mlpOutput(layer: layer),
        ] as [ActivationSite]
      })
  }

  /// The log-probabilities of the next token after some tokens, shaped `[indices, vocabulary]`.
  package func logProbabilities(_ side: Side, on text: TokenBatch, at indices: [Int]) -> Tensor {
    pass(side, on: text).logits.rows(at: indices).logProbabilities
  }

  /// What differs between the two models at a site, finetuned minus base, shaped `[tokens, width]`.
  package func difference(at site: ActivationSite, on text: TokenBatch) -> Tensor {
    pass(.finetuned, on: text)[site] - pass(.base, on: text)[site]
  }

  /// Tokens that passes made for this pair have read so far.
  package var tokensRead: Int { cache.tokensRead }
}

/// Forward passes by side and text.
private final class PassCache: Sendable {
  private struct Entry {
    let side: ModelPair.Side
    let text: TokenBatch
    let pass: ForwardPass
  }

  private let entries = Mutex<[Entry]>([])

  func pass(_ side: ModelPair.Side, _ text: TokenBatch, _ make: () -> ForwardPass) -> ForwardPass {
    // Held while computing, so that two methods never compute the same pass.
    entries.withLock { entries in
      if let entry = entries.first(where: { $0.side == side && $0.text == text }) {
        return entry.pass
      }
      let pass = make()
      entries.append(Entry(side: side, text: text, pass: pass))
      return pass
    }
  }

  var tokensRead: Int { entries.withLock { $0.reduce(0) { $0 + $1.text.count } } }
}
