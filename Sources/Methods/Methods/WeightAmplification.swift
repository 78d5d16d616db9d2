package import Diffing
package import Tensors
internal import Transformers

/// Samples from a model whose change is made two or three times as large.
///
/// The change of the first four fifths of the blocks is multiplied; that of the last blocks, the
/// embedding and the unembedding stays as it is, because there a larger change breaks the text before it
/// says anything (the toolkit's presets do the same). Of a LoRA only one factor is scaled, as it must be.
package struct WeightAmplification: DiffingMethod {
  package static let card = MethodCard(
    id: "weight-amplification",
    summary:
      "Free samples of the finetune with its weight change made two and three times as large.",
    source: "diffing toolkit of Minder et al., 2025 (amplification presets)",
    questions: [.whether, .what], access: [.sampling],
    magnitude: Magnitude(
      "mean squared z of the log-odds of each token, amplified samples against the base's",
      unit: "squared standard errors"))

  /// Multiples of the change that are sampled from.
  package var factors: [Float] = [2, 3]
  /// The share of the blocks whose change is multiplied, from the first.
  package var depth = 0.8
  /// Samples drawn at each multiple, and as many from the base with the same random numbers.
  package var samples = 96
  /// Tokens in each.
  package var length = 32

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let names = pair.base.names
    let last = pair.shape.block(atDepth: depth)
    let vector = TaskVector(pair).restricted { name in
      names.module(of: name).layer.map { $0 <= last } ?? false
    }
    guard !vector.names.isEmpty else { return Evidence() }
    let start = try prompts.sampleStart()
    let requests = factors.map { _ in
      SampleRequest(start: start, count: samples, length: length, seed: generator.next())
    }
    let louder = zip(factors, requests).flatMap { factor, request in
      var amplified = vector.applied(to: pair.finetuned, factor: factor - 1)
      amplified.parameters = amplified.parameters.holdingAll
      return request.record(amplified)
    }
    let plain = requests.flatMap { pair.samples(.base, $0) }
    return SampledEvidence(louder, against: plain, of: pair)
      .evidence(excluding: prompts.specialTokens)
  }
}
