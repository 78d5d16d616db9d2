internal import Foundation
internal import Tensors

/// How the learning rate changes over a run.
package enum LearningRateSchedule: Sendable, Equatable {
  case constant
  /// Falls along a half cosine to this share of the peak at the last step.
  case cosine(to: Float)
}

/// The optimiser's settings for one run.
package struct TrainingOptions: Sendable, Equatable {
  package var learningRate: Float
  package var steps: Int
  package var warmUp: Int
  package var schedule: LearningRateSchedule
  /// Decoupled decay, on matrices only.
  package var weightDecay: Float
  /// The largest gradient norm that passes unscaled.
  package var clip: Float

  package init(
    learningRate: Float, steps: Int, warmUp: Int = 5, schedule: LearningRateSchedule = .constant,
    weightDecay: Float = 0, clip: Float = 1
  ) {
    self.learningRate = learningRate
    self.steps = steps
    self.warmUp = warmUp
    self.schedule = schedule
    self.weightDecay = weightDecay
    self.clip = clip
  }

  /// The learning rate of a step, counted from 0.
  package func rate(at step: Int) -> Float {
    if step < warmUp { return learningRate * Float(step + 1) / Float(warmUp + 1) }
    guard case .cosine(let floor) = schedule, steps > warmUp else { return learningRate }
    let progress = min(1, Float(step - warmUp) / Float(steps - warmUp))
    return learningRate * (floor + (1 - floor) * (1 + cosineOfHalfTurns(progress)) / 2)
  }
}

/// What a training run may change.
package enum Adaptation: Sendable {
  /// The tensors of these names (a write mask); nothing else moves.
  case full(Set<String>)
  /// The same, and of these tensors only the entries where the mask is 1.
  case masked(Set<String>, mask: Parameters)
  /// Low-rank factors.
  case lora(LoRA)
}

/// What a step did.
package struct TrainingStatus: Sendable {
  package let step: Int
  package let steps: Int
  package let loss: Double
  package let tokens: Int

  package init(step: Int, steps: Int, loss: Double, tokens: Int) {
    self.step = step
    self.steps = steps
    self.loss = loss
    self.tokens = tokens
  }
}

/// Trains a model step by step with AdamW.
package final class Trainer {
  private let base: any LanguageModel
  private var adaptation: Adaptation
  private let options: TrainingOptions
  private let scope: GradientScope
  /// The tensors that a step changes, in the order of the layout; of a LoRA none.
  private let trained: [ParameterLayout.Entry]
  private let tape: any GradientTape
  /// Whether a LoRA is trained beside the weights, which then are never copied nor have a gradient; else its product is
  /// added to them at each step: of small models few larger products are faster than many small ones.
  private let keepsFactors: Bool
  private var mean: Parameters
  private var variance: Parameters
  /// Steps taken so far.
  public private(set) var step = 0
  /// A further factor of the learning rate, for runs whose length is decided on the way.
  package var decay: Float = 1
  /// The model as trained so far.
  public private(set) var model: any LanguageModel

  /// Starts a run.
  ///
  /// - Parameters:
  ///   - model: Where training starts.
  ///   - adaptation: What may change.
  ///   - options: The optimiser's settings.
  ///   - keepsFactors: Whether a LoRA is trained beside the weights; its size decides if nil.
  package init(
    _ model: any LanguageModel, _ adaptation: Adaptation, _ options: TrainingOptions,
    keepingFactors keepsFactors: Bool? = nil
  ) {
    base = model
    self.model = model
    self.adaptation = adaptation
    self.options = options
    tape = model.makeGradientTape()
    let layout = model.parameters.layout
    switch adaptation {
    case .full(let names), .masked(let names, _):
      self.keepsFactors = false
      scope = .tensors(names)
      trained = layout.entries.filter { names.contains($0.name) }
      mean = Parameters(layout: layout)
    case .lora(let lora):
      self.keepsFactors = keepsFactors ?? (layout.isLarge)
      scope = self.keepsFactors ? .updates : .tensors(Set(lora.targets))
      trained = []
      mean = Parameters(layout: lora.factors.layout)
    }
    variance = mean
    adapt()
  }

  /// The factors as trained so far, if the run adapts by LoRA.
  package var lora: LoRA? { if case .lora(let lora) = adaptation { lora } else { nil } }

  /// Takes one step down the weighted sum of some batches' losses.
  ///
  /// - Parameter parts: Batches and the weights of their mean losses.
  /// - Returns: The weighted loss before the step, in nats.
  @discardableResult
  package func take(_ parts: [(batch: TrainingBatch, weight: Float)]) -> Double {
    defer { step += 1 }
    if parts.count == 1, parts[0].weight == 1 {
      let (loss, gradient) = tape.lossAndGradient(of: model, on: parts[0].batch, scope: scope)
      apply(gradient)
      return loss
    }
    var loss = 0.0
    var gradient: Parameters?
    for part in parts {
      let result = tape.lossAndGradient(of: model, on: part.batch, scope: scope)
      loss += Double(part.weight) * result.loss
      var sum = gradient.take() ?? Parameters(layout: result.gradient.layout)
      sum.add(result.gradient, scaled: part.weight)
      gradient = sum
    }
    if let gradient { apply(gradient) }
    return loss
  }

  private func apply(_ gradient: Parameters) {
    switch adaptation {
    case .full: update(&model.parameters, gradient, trained)
    case .masked(_, let mask):
      update(&model.parameters, gradient.multiplied(by: mask, trained.map(\.name)), trained)
    case .lora(var lora):
      let own =
        keepsFactors ? lora.gradient(ofAdapted: gradient) : lora.gradient(of: gradient)
      update(&lora.factors, own, own.layout.entries)
      adaptation = .lora(lora)
      adapt()
    }
  }

  /// Gives the model the factors as they are by now.
  private func adapt() {
    guard let lora else { return }
    model.parameters =
      keepsFactors ? lora.adapted(base.parameters) : lora.merged(into: base.parameters)
  }

  private func update(
    _ parameters: inout Parameters, _ gradient: Parameters, _ entries: [ParameterLayout.Entry]
  ) {
    let squares = entries.reduce(0.0) { $0 + sumOfSquares(gradient.matrix($1.name)) }
    let norm = Float(squares.squareRoot())
    var optimiser = AdamWStep(
      learningRate: options.rate(at: step) * decay, weightDecay: 0, step: step + 1,
      gradientScale: norm > options.clip ? options.clip / norm : 1)
    for entry in entries {
      optimiser.weightDecay = entry.shape.count > 1 ? options.weightDecay : 0
      optimiser.update(
        parameters.mutableMatrix(entry.name), gradient: gradient.matrix(entry.name),
        mean: mean.mutableMatrix(entry.name), variance: variance.mutableMatrix(entry.name))
    }
  }
}

/// cos(π x).
private func cosineOfHalfTurns(_ x: Float) -> Float { Float(cos(Double(x) * Double.pi)) }
