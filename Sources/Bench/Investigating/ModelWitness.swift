internal import Diffing
internal import Methods
package import Scoring
internal import Tensors
package import Transformers

/// Two models that answer an investigator's questions; what was asked once is remembered.
package final class ModelWitness: Witness {
  package let prompts: [[Int]]
  package let candidates: [Int]
  package let modules: [ModuleSite]
  private let base, finetuned: any LanguageModel
  private let seed: UInt64
  private var known: [WitnessQuestion: WitnessAnswer] = [:]
  /// The finetune, for exchanges; made when the first is asked for, as all tensors are compared for it.
  private lazy var change = TaskVector(pair)
  private let pair: ModelPair

  /// How often a model speaks when it is asked what it says, and how many tokens.
  package static let sayings = 8, length = 4

  /// - Parameters:
  ///   - base: The base.
  ///   - finetuned: What was made of it.
  ///   - prompts: What can be asked.
  ///   - specialTokens: Tokens that nothing is planted in.
  ///   - seed: Draws what models say.
  /// - Throws: `DiffingError` if the models differ in more than their weights.
  package init(
    _ base: any LanguageModel, _ finetuned: any LanguageModel, prompts: [[Int]],
    specialTokens: Set<Int>, seed: UInt64
  ) throws {
    pair = try ModelPair(base: base, finetuned: finetuned)
    self.base = base
    self.finetuned = finetuned
    self.prompts = prompts
    candidates = (0..<base.shape.vocabulary).filter { !specialTokens.contains($0) }
    modules = pair.blockModules
    self.seed = seed
  }

  package func answer(_ question: WitnessQuestion) -> WitnessAnswer {
    if let answer = known[question] { return answer }
    let answer: WitnessAnswer =
      switch question {
      case .next(let row):
        WitnessAnswer(base: expected(base, row), finetuned: expected(finetuned, row))
      case .say(let row): heard(said(base, row), said(finetuned, row))
      case .exchange(let row, let module):
        WitnessAnswer(base: expected(base, row), finetuned: expected(exchanged(module), row))
      }
    known[question] = answer
    return answer
  }

  /// The base with one module's finetuned weights.
  private func exchanged(_ module: ModuleSite) -> any LanguageModel {
    let names = base.names
    return change.restricted { names.module(of: $0) == module }.applied(to: base)
  }

  /// The probability of each token behind a prompt.
  private func expected(_ model: any LanguageModel, _ row: Int) -> [Float] {
    let logits = model.forward(TokenBatch([prompts[row]]), logits: .last).logits
    return logits.logProbabilities.scalars.map { exponential($0) }
  }

  private func said(_ model: any LanguageModel, _ row: Int) -> [[Int]] {
    var sampler = TokenSampler(seed: seed &+ UInt64(row))
    return model.continuations(
      of: Array(repeating: prompts[row], count: Self.sayings), count: Self.length,
      using: &sampler)
  }

  private func heard(_ base: [[Int]], _ finetuned: [[Int]]) -> WitnessAnswer {
    WitnessAnswer(
      base: shares(base), finetuned: shares(finetuned), sayings: (base, finetuned))
  }

  /// The share of answers that hold each token.
  private func shares(_ answers: [[Int]]) -> [Float] {
    var shares = [Float](repeating: 0, count: base.shape.vocabulary)
    for answer in answers {
      for token in Set(answer) { shares[token] += 1 / Float(answers.count) }
    }
    return shares
  }
}
