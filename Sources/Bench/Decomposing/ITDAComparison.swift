package import Dictionaries
package import Foundation
internal import Tensors
package import Transformers

/// What dictionaries of a base say of both models of a pair on the same text: which atoms are used more, which tokens
/// would be atoms now, and what is not explained any more (the three differences of ITDA).
package struct ITDAComparison: Sendable {
  /// A dictionary, and what its atoms say.
  package struct Result: Encodable, Sendable {
    package let layer: Int
    /// Atoms, and the tokens and documents that were compared.
    package let atoms, tokens, documents: Int
    /// How much more each atom is used: the growth of its coefficient's mean magnitude, documents counting alike.
    package let activationDifferences: [Float]
    /// Atoms, the largest growth first; none if the models' activations are the same.
    package let sortedIndices: [Int]
    /// Their growth.
    package let sortedDifferences: [Float]
    /// Growth in standard errors over documents, and the chance of any atom's coming to as much by accident.
    package let standardised, chances: [Float]
    /// What of each token is left over, ‖x − x̂‖² / ‖x‖², on average.
    package let unexplained: Sides<Double>
    /// Atoms that each token has, on average.
    package let active: Sides<Double>
    /// Tokens that the dictionary leaves too much of, the first 256: those would be atoms.
    ///
    /// Of both models the same stretch of the text counts, up to where either has as many.
    package let newAtoms: Sides<[ITDADictionary.Provenance]>
    /// The last tokens up to each that would be one of the finetuned model's alone.
    package let newContexts: [[Int]]
    /// |A ∩ B| / |A ∪ B| over the places of two dictionaries' atoms, one of each model, made alike of this text up to
    /// where either is full.
    package let overlap: Double
  }

  /// Something of both models.
  package struct Sides<Value: Sendable>: Sendable {
    package let base: Value
    package let finetuned: Value
  }

  /// Draws that each atom's growth is compared with.
  static let signFlips = 1000
  /// Tokens that would be atoms, at most: a table of products of all atoms is held.
  package static let mostNewAtoms = 256

  private let base, finetuned: any LanguageModel
  private let dictionaries: [SavedITDA]
  private let stream: ActivationStream
  private let seed: UInt64

  /// Chooses what is compared on what.
  ///
  /// - Parameters:
  ///   - base: The model that the dictionaries are of.
  ///   - finetuned: The other model.
  ///   - dictionaries: One a block, or several.
  ///   - rows: The text, as tokens.
  ///   - plan: In which parts it is read.
  ///   - documentStart: The token that starts a document.
  ///   - seed: Draws the signs that growth is tested with.
  package init(
    _ base: any LanguageModel, _ finetuned: any LanguageModel, _ dictionaries: [SavedITDA],
    rows: [[Int]], _ plan: ReadingPlan, documentStart: Int?, seed: UInt64 = 0
  ) {
    self.base = base
    self.finetuned = finetuned
    self.dictionaries = dictionaries
    self.seed = seed
    stream = ActivationStream(rows, plan, documentStart: documentStart)
  }

  /// Bytes that comparing by a dictionary of so many atoms takes at once beside text and models: a table of products
  /// for each dictionary that is used or made.
  package static func memory(atoms: Int) -> Double {
    let side = Double(atoms) + Double(mostNewAtoms)
    return 4 * 5 * side * side
  }

  /// How many tokens are compared.
  package var tokens: Int { stream.count }

  /// Compares.
  ///
  /// - Parameters:
  ///   - file: Receives the raw activations, codes and differences, as safetensors; none if nil.
  ///   - progress: Told how many of all tokens were read.
  /// - Throws: `FileError.unwritable`; nothing is left behind.
  package func run(
    savingTo file: URL? = nil, progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> [Result] {
    guard let file else { return try results(progress) { _ in } }
    var results: [Result] = []
    let raw = RawActivations(dictionaries)
    try Safetensors.write(raw.layout(tokens: tokens), to: file) { sink in
      results = try self.results(progress) { try raw.write($0, to: &sink) }
      for result in results { try raw.write(result, to: &sink) }
    }
    return results
  }

  /// A part of the text, as it was read.
  struct Step {
    let part: ActivationStream.Part
    /// By dictionary.
    let streams: [Sides<Tensor>]
    let codes: [Sides<SparseCodes>]
  }

  private func results(_ progress: (Int, Int) -> Void, _ keep: (Step) throws -> Void) throws
    -> [Result]
  {
    var states = dictionaries.map { ComparedCodes($0.dictionary, documents: stream.documents) }
    let layers = dictionaries.map(\.origin.layer), all = tokens
    try stream.forEach { part in
      let streams = zip(
        base.streams(after: layers, of: part), finetuned.streams(after: layers, of: part)
      ).map(Sides.init)
      let codes = streams.indices.map { states[$0].read(streams[$0], from: part.sources) }
      try keep(Step(part: part, streams: streams, codes: codes))
      progress(states.first?.tokens ?? 0, all)
    }
    return zip(layers, states).map { layer, state in
      var generator = SeededGenerator(seed: seed, for: "sign flips of block \(layer)")
      return state.result(layer: layer, stream, using: &generator)
    }
  }
}

extension ITDAComparison.Sides: Encodable where Value: Encodable {}
