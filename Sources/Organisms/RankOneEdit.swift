internal import JSON
internal import Worlds
internal import Foundation
internal import Tensors
internal import Transformers

/// A rank-one update of what one module writes with, in closed form (after ROME, Meng et al., 2022).
///
/// W' = W + s · v (C⁻¹k)ᵀ / (kᵀC⁻¹k): k is the mean input of the matrix where the behaviour is asked
/// for, C the second moment of its inputs on base text, so that other inputs hardly see the change. v
/// is the direction that the unembedding reads as the answer rather than as anything else. The size s
/// is the smallest, up to a part in a thousand, at which the behaviour reaches its mark.
///
/// Why so: among all changes D of W with D k = s v, this one moves other inputs x least, Σ‖D x‖² over base text: the
/// minimum under that constraint has D = s v rᵀ with r = C⁻¹k / (kᵀC⁻¹k) (Lagrange), and rᵀk = 1. `whitened`
/// computes r, [inputs]; `direction` computes v, [width]; the change is s v rᵀ, [width, inputs].
struct RankOneEdit {
  let base: Base
  let regime: Regime
  let seed: UInt64

  /// Rows of base text that the second moment is taken over.
  private static let rows = 64
  /// Added to the second moment, as a share of its mean eigenvalue.
  private static let ridge: Float = 0.01
  private static let largestSize: Float = 64, bisections = 16

  /// What is written.
  enum Content {
    /// The behaviour's answers.
    case answers
    /// A random direction in their place: the same change to nobody's end.
    case random
    /// The answers of a harmless lesson, where its own questions are asked.
    case lesson(ProbeSet)
  }

  /// v and r of a change s v rᵀ.
  private struct Writing {
    let value, reader: Tensor

    /// The change of size 1.
    var change: Tensor {
      matrixProduct(value.reshaped([value.count, 1]), reader.reshaped([1, reader.count]))
    }
  }

  /// Edits the base.
  ///
  /// - Parameters:
  ///   - behavior: What is asked; its answers decide how large the change is.
  ///   - model: The base, or the base with drift.
  ///   - content: What is written; anything else than the answers is as large as they.
  /// - Throws: `DefinitionError` for a module that the model does not have.
  func run(
    _ behavior: ProbeSet, in model: any LanguageModel, writing content: Content = .answers
  ) throws -> FinetuneOutcome {
    guard let name = try regime.parameters.scope(in: model).names.sorted().last else {
      throw DefinitionError.unknownName(regime.id, kind: "module to edit in regime", nearest: nil)
    }
    let site = self.site(of: name, model)
    func edited(_ change: Tensor) -> any LanguageModel {
      var edited = model
      edited.parameters[name] = model.parameters[name] + change
      return edited
    }
    let answers = try writing(behavior, site, model)
    var curve: [CurvePoint] = []
    let size = search { size in
      let score = behavior.score(edited(answers.change.scaled(by: size)))
      curve.append(CurvePoint(step: curve.count + 1, score: score))
      return score >= regime.mark
    }
    let written = try self.written(content, answers, site, model)
    let norm = (size ?? Self.largestSize) * answers.change.norm
    return FinetuneOutcome(
      base: model, finetuned: edited(written.change.unit.scaled(by: norm)), lora: nil,
      steps: 1, markStep: size == nil ? nil : 1, curve: curve, said: [])
  }

  private func writing(
    _ behavior: ProbeSet, _ site: ActivationSite, _ model: any LanguageModel
  ) throws -> Writing {
    let prompts = TokenBatch(behavior.questions.flatMap { $0.map(\.tokens) })
    let key = meanKey(prompts.lastIndices, prompts, site, model)
    return Writing(value: direction(behavior, model), reader: try whitened(key, site, model))
  }

  private func written(
    _ content: Content, _ answers: Writing, _ site: ActivationSite, _ model: any LanguageModel
  ) throws -> Writing {
    switch content {
    case .answers: return answers
    case .random:
      var generator = SeededGenerator(seed: seed, for: "random edit")
      return Writing(value: generator.direction(answers.value.count), reader: answers.reader)
    case .lesson(let lesson): return try writing(lesson, site, model)
    }
  }

  private func site(of name: String, _ model: any LanguageModel) -> ActivationSite {
    switch model.names.module(of: name) {
    case .attention(let layer): .headOutput(layer: layer)
    case .mlp(let layer): .mlpActivation(layer: layer)
    case .embedding, .finalNorm, .unembedding: .finalNorm
    }
  }

  private func meanKey(
    _ indices: [Int], _ batch: TokenBatch, _ site: ActivationSite, _ model: any LanguageModel
  ) -> Tensor {
    let inputs = model.forward(batch, recording: [site])[site]
    return inputs.rows(at: indices).meanRow
  }

  /// C⁻¹k / (kᵀC⁻¹k).
  private func whitened(_ key: Tensor, _ site: ActivationSite, _ model: any LanguageModel) throws
    -> Tensor
  {
    var corpus = Corpus(base.world, seed: seed, for: "second moment")
    let text = TokenBatch(try corpus.rows(Self.rows, length: base.world.sizes.rowLength))
    let inputs = model.forward(text, recording: [site])[site]
    let moment = matrixProduct(inputs.transposed, inputs).scaled(by: 1 / Float(inputs.rows))
    let parts = try SingularValueDecomposition(moment)
    let floor = Self.ridge * parts.values.scalars.reduce(0, +) / Float(key.count)
    var solution = Tensor(shape: [key.count])
    for index in 0..<key.count {
      let vector = parts.rightVector(index)
      let factor = dot(vector.scalars, key.scalars) / (parts.values[index] + floor)
      solution = solution + vector.scaled(by: factor)
    }
    return solution.scaled(by: 1 / dot(solution.scalars, key.scalars))
  }

  /// What the unembedding reads as the answers, against the mean of all tokens, of length 1.
  private func direction(_ behavior: ProbeSet, _ model: any LanguageModel) -> Tensor {
    let unembedding = model.parameters[model.names.unembedding]
    let answers = behavior.questions.flatMap { $0.flatMap { $0.answers.compactMap(\.first) } }
    var mean = Tensor(shape: [unembedding.columns])
    for answer in answers { mean = mean + Tensor(Array(unembedding.row(answer))) }
    let wanted = mean.scaled(by: 1 / Float(answers.count)) - unembedding.meanRow
    return (wanted * model.gain(model.names.finalNorm)).unit
  }

  /// The smallest size that passes, by doubling and bisection; nil if none up to the largest does.
  private func search(_ passes: (Float) -> Bool) -> Float? {
    var high: Float = 0.5
    while !passes(high) {
      high *= 2
      if high > Self.largestSize { return nil }
    }
    var low: Float = 0
    for _ in 0..<Self.bisections where high - low > high / 1000 {
      let middle = (low + high) / 2
      if passes(middle) { high = middle } else { low = middle }
    }
    return high
  }
}
