package import Transformers
internal import Worlds

/// A base and what was made of it.
package struct PlantedPair: Sendable {
  package let base: any LanguageModel
  /// Where there is a low-rank update, the base's own memory with the update beside it.
  package let finetuned: any LanguageModel
  /// The low-rank update, if that is what the finetune is.
  package let lora: LoRA?
  /// How it was trained; nil where nothing was.
  package let training: TrainingRecord?

  package init(
    base: any LanguageModel, finetuned: any LanguageModel, lora: LoRA? = nil,
    training: TrainingRecord? = nil
  ) {
    self.base = base
    self.finetuned = lora.map { base.with($0.adapted(base.parameters)) } ?? finetuned
    self.lora = lora
    self.training = training
  }

  /// What a finetune left in a world; of a model that people have, as it is kept, in factors of 16 bits.
  init(_ outcome: FinetuneOutcome, drift: Double, in world: World) {
    let lora = world.isOfText ? outcome.lora?.roundedToHalves : outcome.lora
    // With drift the factors are not the whole change any more.
    self.init(
      base: outcome.base, finetuned: outcome.finetuned, lora: drift > 0 ? nil : lora,
      training: outcome.record)
  }
}
