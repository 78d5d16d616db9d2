package import Diffing
package import Tensors
internal import Transformers

/// What of a finetune is left if its weight change is compressed: to one rank, to signs, to a few numbers.
///
/// One rank of each change, of matrices and of what is added to the stream beside them, is put into the base, and its answers are
/// compared. The others are for people: signs with the mean size (published with scales that are distilled afterwards), numbers at
/// random made as much larger as they are fewer, the largest numbers.
package struct DeltaCompression: DiffingMethod {
  package static let card = MethodCard(
    id: "delta-compression",
    summary: "The base's answers with one rank of each weight change.",
    source:
      "rank: Ramanathan et al., 2026; signs: BitDelta (Liu et al., 2024, arXiv 2402.10193); random: DARE (Yu et al., 2023, arXiv 2311.03099); largest: TIES (Yadav et al., 2023, arXiv 2306.01708)",
    questions: [.whether, .what], access: [.pool],
    magnitude: Magnitude(
      "mean divergence of the answers of the base with rank one of each change from the base's",
      unit: "nats"))

  /// Prompts with the largest divergence that are answered.
  package var rows = 32
  /// The shares of a change's numbers that people are shown what is left by: drawn at random, and the largest.
  package var keptAtRandom = 0.1, keptLargest = 0.02

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let answered = prompts.with(rows: prompts.answeredRows(rows, of: pair))
    let (text, indices) = (answered.text, answered.answerIndices)
    func answers(_ model: any LanguageModel) -> Tensor {
      model.forward(text, logits: .at(indices)).logits.logProbabilities
    }
    let change = AnswerChange(base: answers(pair.base), finetuned: answers(pair.finetuned))
    let spectra = try ChangeSpectrum.all(pair, keeping: 1)
    guard change.isSeen, !spectra.isEmpty else { return Evidence() }
    let kept = answers(pair.base(withRankOneOf: spectra))
    guard AnswerChange(base: change.base, finetuned: kept).isSeen else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = change.divergence(of: kept)
    evidence.tokens = TokenClaim.ranking(
      (kept.exponentials - change.base.exponentials).meanRow.scalars,
      excluding: prompts.specialTokens)
    let names = TaskVector(pair).names, seed = generator.next()
    evidence.exhibits = pair.exhibits([
      exhibit(
        change,
        [("one rank", kept)]
          + compressions(seed: seed).map { name, compression in
            (name, answers(pair.base(with: names, compression)))
          })
    ])
    return evidence
  }

  /// What else a change is compressed to.
  private func compressions(seed: UInt64) -> [(String, Compression)] {
    [
      ("signs", .signs),
      ("\(rounded(100 * keptAtRandom)) % of the numbers, at random", .random(keptAtRandom, seed)),
      ("the largest \(rounded(100 * keptLargest)) %", .largest(keptLargest)),
    ]
  }

  private func exhibit(_ change: AnswerChange, _ compressed: [(name: String, answers: Tensor)])
    -> Exhibit
  {
    Exhibit(
      "What the answers keep of the change if it is compressed",
      .table(
        columns: ["kept of each tensor", "share of the change", "divergence, nats"],
        rows: compressed.map { entry in
          [
            .text(entry.name), .number(change.recovery(entry.answers)),
            .number(Float(change.divergence(of: entry.answers))),
          ]
        }))
  }
}

/// What is kept of each tensor's change.
private enum Compression {
  /// The signs, times the mean size.
  case signs
  /// A share of the numbers, drawn at random, as much larger as they are fewer.
  case random(Double, UInt64)
  /// The share of the numbers that is largest.
  case largest(Double)

  /// What is made of a tensor's change.
  func map(_ change: Tensor, of name: String) -> Tensor {
    switch self {
    case .signs:
      let size = change.scalars.map(abs).mean
      return change.map { $0 > 0 ? size : $0 < 0 ? -size : 0 }
    case .random(let share, let seed):
      var generator = SeededGenerator(seed: seed, for: name)
      return change.map { generator.uniform() < share ? $0 / Float(share) : 0 }
    case .largest(let share):
      let limit = OrderedNumbers([change.map(abs)]).limit(share)
      return change.map { abs($0) >= limit ? $0 : 0 }
    }
  }
}

extension ModelPair {
  /// The base with a compressed change of some tensors, each formed when it is read.
  fileprivate func base(with names: [String], _ compression: Compression) -> any LanguageModel {
    base(adding: names) { name in compression.map(self.change(of: name), of: name) }
  }

  /// The base with rank one of some changes.
  fileprivate func base(withRankOneOf spectra: [ChangeSpectrum]) -> any LanguageModel {
    let first = Dictionary(
      uniqueKeysWithValues: spectra.map { ($0.name, $0.leading.first(1)) })
    return base(adding: spectra.map(\.name)) { name in
      first[name].map {
        matrixProduct($0.left, $0.right.scalingRows(by: $0.values.scalars))
      } ?? Tensor(shape: [0, 0])
    }
  }

  /// The base with something added to some tensors, formed when they are read.
  private func base(adding names: [String], _ added: @escaping @Sendable (String) -> Tensor)
    -> any LanguageModel
  {
    base.adding(to: names) { name, rows, window in
      let change = Matrix(added(name)), columns = window.columns
      let whole = change.reshaped(rows: change.rows * change.columns / columns, columns: columns)
      addScaled(whole.rows(rows), to: window)
    }
  }
}
