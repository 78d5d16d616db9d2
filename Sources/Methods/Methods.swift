package import Diffing
internal import JSON

/// Every method; a new one is one file in `Methods/` and one entry here.
package enum Methods {
  package static let all: [any DiffingMethod.Type] = [
    WeightNorm.self,
    UpdateSparsity.self,
    WeightSpectrum.self,
    IntruderDimensions.self,
    TaskArithmetic.self,
    DeltaCompression.self,
    WeightAmplification.self,
    WeightWatch.self,
    ActivationDifference.self,
    DifferencePCA.self,
    ActivationDifferenceLens.self,
    ForwardLens.self,
    JacobianLens.self,
    ReadableTrace.self,
    TraitProjection.self,
    ActivationOracle.self,
    LogitLensDifference.self,
    Grafting.self,
    ActivationPatching.self,
    AttributionPatching.self,
    CircuitDifference.self,
    ModelStitching.self,
    ActivationSteering.self,
    AttentionDifference.self,
    RepresentationSimilarity.self,
    ITDA.self,
    DifferenceSAE.self,
    Crosscoder.self,
    L1Crosscoder.self,
    DeltaCrosscoder.self,
    DedicatedCrosscoder.self,
    TranscoderAdapter.self,
    StageWise.self,
    SAELatents.self,
    NeuronDifference.self,
    OutputDivergence.self,
    DiffMining.self,
    LogitAmplification.self,
    ContrastiveDecoding.self,
    PerplexityGap.self,
    PromptSearch.self,
    LogprobTracking.self,
    BorderInputs.self,
    PromptBattery.self,
    TriggerScanner.self,
    TwoSampleTest.self,
    Sampling.self,
  ]

  /// The method called `id`, with its default hyperparameters.
  ///
  /// - Throws: `DiffingError.unknownMethod`.
  package static func named(_ id: String) throws(DiffingError) -> any DiffingMethod {
    guard let type = all.first(where: { $0.card.id == id }) else {
      throw .unknownMethod(id, nearest: nearest(to: id, among: all.map { $0.card.id }))
    }
    return type.init()
  }

  /// The methods called so, in this order; all if no id is given.
  ///
  /// - Throws: `DiffingError.unknownMethod`.
  package static func chosen(_ ids: [String]) throws(DiffingError) -> [any DiffingMethod] {
    guard !ids.isEmpty else { return all.map { $0.init() } }
    var chosen: [any DiffingMethod] = []
    for id in ids { chosen.append(try named(id)) }
    return chosen
  }
}
