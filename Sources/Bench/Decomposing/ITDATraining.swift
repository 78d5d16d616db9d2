package import Dictionaries
internal import Tensors
package import Transformers

/// Makes dictionaries of a model's own activations in one pass over a text.
package struct ITDATraining: Sendable {
  private let model: any LanguageModel
  private let layer: Int
  private let stream: ActivationStream

  /// Chooses what is read.
  ///
  /// - Parameters:
  ///   - model: Whose activations become atoms.
  ///   - layer: The block after which streams are read.
  ///   - rows: The text, as tokens.
  ///   - plan: In which parts it is read; that changes no atom, as long as the same sequences are read.
  ///   - documentStart: The token that starts a document.
  /// - Precondition: The model has that block.
  package init(
    _ model: any LanguageModel, layer: Int, rows: [[Int]], _ plan: ReadingPlan,
    documentStart: Int?
  ) {
    precondition((0..<model.shape.layers).contains(layer), "The model has no such block")
    self.model = model
    self.layer = layer
    stream = ActivationStream(rows, plan, documentStart: documentStart)
  }

  /// How many activations there are to choose atoms from.
  package var tokens: Int { stream.count }

  /// How much may be left of a token before it becomes an atom: so much that as many do as are asked for.
  ///
  /// It depends on the model. It is found on a part of the text, evenly spread over it, of which at most a quarter
  /// becomes atoms; so of a longer text not all is read before the dictionary is full.
  package func threshold(atoms: Int, sparsity: Int) -> Float {
    let sample = stream.spread(tokens: Self.sampled)
    var activations: [Float] = [], sources: [ITDADictionary.Provenance] = []
    sample.forEach { part in
      activations += stream(of: part).scalars
      sources += part.sources
    }
    return ITDADictionary(
      of: Tensor(shape: [sources.count, model.shape.width], scalars: activations), from: sources,
      atoms: max(1, min(atoms, sources.count / 4)), sparsity: sparsity
    ).options.threshold
  }

  /// Tokens on which a threshold is found.
  private static let sampled = 8192

  /// Reads the text.
  ///
  /// - Parameters:
  ///   - options: How many atoms, of what.
  ///   - progress: Told how many of all tokens were read.
  /// - Returns: The dictionary, and how many tokens were read before it was full.
  package func run(
    _ options: ITDADictionary.Options, progress: (Int, Int) -> Void = { _, _ in }
  ) -> SavedITDA {
    var builder = ITDABuilder(width: model.shape.width, options)
    let all = tokens
    stream.forEach { part in
      // A full dictionary reads no more.
      guard !builder.isFull else { return }
      builder.read(stream(of: part), from: part.sources)
      progress(builder.rows, all)
    }
    let dictionary = builder.dictionary
    return SavedITDA(
      dictionary,
      .init(
        layer: layer, layers: model.shape.layers, width: model.shape.width,
        model: model.weightsDigest, documents: stream.documents, tokens: builder.rows),
      contexts: dictionary.provenance.map {
        stream.context($0, length: SavedITDA.contextLength)
      })
  }

  private func stream(of part: ActivationStream.Part) -> Tensor {
    model.streams(after: [layer], of: part)[0]
  }
}
