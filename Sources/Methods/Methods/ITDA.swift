internal import Dictionaries
package import Diffing
package import Tensors
internal import Transformers

/// A dictionary of the base's own activations: what it does not explain of the finetuned model's, and which of its
/// atoms are used more.
///
/// Atoms are activations of the base, picked in one pass, so each is a token of a document. Matching pursuit then
/// explains both models' activations of the same text by few atoms each. Claims are read from the tokens that are
/// explained worse than before: which atoms are used more is shown, with chances, but names little, because the base
/// has no atom for what it does not do.
package struct ITDA: DiffingMethod {
  package static let card = MethodCard(
    id: "itda",
    summary:
      "What a dictionary of the base's own activations does not explain of the finetuned model's.",
    source: "Leask et al., 2025 (arXiv 2505.17769); differences of codes: arXiv 2506.19823",
    questions: [.whether, .what, .when, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "mean ‖x − x̂‖² / ‖x‖² over tokens in the base's dictionary, finetuned less base",
      unit: "share of the stream's energy"))

  /// After which block streams are decomposed, as a share of the depth.
  package var depth = BaseDictionary.Settings().depth
  /// Atoms of the dictionary, at most; no more than a quarter of the tokens.
  package var atoms = BaseDictionary.Settings().atoms
  /// Atoms of a code, at most.
  package var sparsity = BaseDictionary.Settings().sparsity
  /// The share of the tokens, those that are explained worst beside before, that are read.
  package var share = 0.1
  /// Draws that each atom's change is compared with.
  package var signFlips = 1000

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let settings = BaseDictionary.Settings(depth: depth, atoms: atoms, sparsity: sparsity)
    let layer = pair.shape.block(atDepth: settings.depth)
    let tokens = DecomposedTokens(pair, prompts, settings)
    guard tokens.haveMoved else { return Evidence() }
    let direction = tokens.directionOfWorst(share)
    var evidence = Evidence()
    evidence.magnitude = Double(tokens.excess.mean)
    evidence.tokens = Decoding.tokens(
      along: [direction], of: pair, excluding: prompts.specialTokens)
    evidence.interventions = Decoding.steering(
      layer: layer, direction, activationNorm: tokens.base.rowNorms.mean
    ).map { [$0] }
    if prompts.access == .pool {
      evidence.inputs = InputClaim.ranking(tokens.excessOfLast)
    }
    evidence.exhibits = pair.exhibits(
      tokens.exhibits(signFlips: signFlips, of: prompts.text, using: &generator))
    return evidence
  }
}

/// Both models' streams at the counted tokens of a text, in a dictionary of the base's.
private struct DecomposedTokens {
  let base, finetuned: Tensor
  /// How much more of each token is left over in the finetuned model: ‖x − x̂‖² / ‖x‖² less the base's.
  let excess: [Float]
  /// Whether the streams differ by more than rounding.
  let haveMoved: Bool
  private let dictionary: ITDADictionary
  private let codes: (base: SparseCodes, finetuned: SparseCodes)
  private let sources: [ITDADictionary.Provenance]
  /// The tokens of each row that has any, counted as rows of the activations.
  private let documents: [[Int]]

  init(_ pair: ModelPair, _ prompts: PromptSet, _ settings: BaseDictionary.Settings) {
    let text = prompts.text
    let before = pair.baseDictionary(prompts, settings)
    let site = ActivationSite.residualPost(layer: pair.shape.block(atDepth: settings.depth))
    base = before.stream
    finetuned = pair.activations(.finetuned, at: site, on: text).rows(at: prompts.countedTokens)
    sources = prompts.countedSources
    let byRow = Dictionary(grouping: sources.indices) { [sources] in sources[$0].document }
    documents = (0..<text.rows).map { byRow[$0] ?? [] }
    dictionary = before.dictionary
    let after = dictionary.codesAndErrors(of: finetuned)
    codes = (before.codes, after.codes)
    let moved = zip((finetuned - base).rowNorms, base.rowNorms)
      .map { $0 / max($1, .leastNormalMagnitude) }
    haveMoved = moved.mean > Decoding.rounding
    // Between two atoms that fit alike rounding decides, and what is left over jumps.
    excess = moved.indices.map { token in
      moved[token] > Decoding.rounding
        ? after.relativeErrors[token] - before.errors[token] : 0
    }
  }

  /// Of each row of the text, how much more of its last token is left over.
  var excessOfLast: [Float] { documents.map { $0.last.map { excess[$0] } ?? 0 } }

  /// The mean difference of the streams at the tokens that are explained worst beside before.
  func directionOfWorst(_ share: Double) -> Tensor {
    let worst = largestIndices(excess, max(1, Int(share * Double(excess.count))))
      .filter { excess[$0] > 0 }
    return worst.isEmpty
      ? Tensor(shape: [base.columns]) : (finetuned - base).rows(at: worst).meanRow
  }
}

extension DecomposedTokens {
  func exhibits(
    signFlips: Int, of text: TokenBatch, using generator: inout SeededGenerator
  ) -> [Exhibit] {
    let changes = LatentChanges(
      from: codes.base, to: codes.finetuned, documents: documents.filter { !$0.isEmpty },
      flips: signFlips,
      using: &generator)
    return [summary(changes), growth(changes, of: text)]
  }

  private func summary(_ changes: LatentChanges) -> Exhibit {
    var continued = ITDABuilder(continuing: dictionary, room: dictionary.count)
    continued.read(finetuned, from: sources)
    func row(_ name: String, _ codes: SparseCodes, _ rows: Tensor, _ new: Int) -> [Exhibit.Cell] {
      [
        .text(name), .number(Float(unexplainedVariance(dictionary.decoded(codes), of: rows))),
        .number(Float(codes.meanActive)), .count(new),
      ]
    }
    return Exhibit(
      "\(dictionary.count) atoms from \(base.rows) tokens; \(changes.grown().count) are used more than chance",
      .table(
        columns: ["model", "unexplained variance", "atoms a token", "tokens that would be atoms"],
        rows: [
          row("base", codes.base, base, 0),
          row("finetuned", codes.finetuned, finetuned, continued.added.count),
        ]))
  }

  /// The atoms whose use grew most surely, as the tokens that they are the activations of.
  private func growth(_ changes: LatentChanges, of text: TokenBatch) -> Exhibit {
    let order = changes.standardised.descendingIndices
    return Exhibit(
      "Atoms that are used more",
      .table(
        columns: ["token", "row", "position", "growth", "t", "chance"],
        rows: order.prefix(10).map { atom in
          let source = dictionary.provenance[atom]
          let token = text.range(source.document).lowerBound + source.position
          return [
            .token(text.tokens[token]), .count(source.document), .count(source.position),
            .number(changes.differences[atom]), .number(changes.standardised[atom]),
            .number(changes.chances[atom]),
          ]
        }))
  }
}
