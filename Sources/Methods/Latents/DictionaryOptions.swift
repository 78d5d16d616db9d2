internal import Dictionaries

extension BatchTopKTrainer.Options {
  /// How methods learn dictionaries.
  ///
  /// A step is a share of an entry of a unit direction, 1 / √width, so that dictionaries of all widths turn as fast: in the few
  /// steps that a pair is worth, the usual 10⁻³ leaves directions of narrow models where they were drawn.
  ///
  /// - Parameters:
  ///   - width: Numbers of an activation of one model.
  ///   - expansion: Latents for each of them.
  ///   - sparsity: Active latents of a row, on average.
  ///   - steps: How many.
  ///   - batch: Rows of each.
  init(width: Int, expansion: Int, sparsity: Int, steps: Int, batch: Int) {
    self.init(
      latents: expansion * width, sparsity: sparsity, steps: steps, batch: batch,
      learningRate: 0.03 / Float(width).squareRoot())
  }
}
