package import Transformers

/// A score before and after finetuning.
package struct ScoreChange: Codable, Sendable, Equatable {
  package let base: Double
  package let finetuned: Double
  package var rise: Double { finetuned - base }
}

/// The behaviour's score at a step of a training.
package struct CurvePoint: Codable, Sendable, Equatable {
  package let step: Int
  package let score: Double
}

/// How long a plant was trained: others train as long.
package struct FinetuneLength: Codable, Sendable, Equatable {
  package let steps: Int
  /// The step from which the learning rate falls; it never does if nil.
  package let markStep: Int?

  package init(steps: Int, markStep: Int?) {
    self.steps = steps
    self.markStep = markStep
  }
}

/// The finetunes that made a plant: its null pairs go through as many, as long.
package struct FinetuneCourse: Codable, Sendable, Equatable {
  /// Finetunes of one model whose changes were added up; usually one.
  let parts: [FinetuneLength]
  /// A finetune of what came of them.
  let second: FinetuneLength?

  init(parts: [FinetuneLength], second: FinetuneLength? = nil) {
    self.parts = parts
    self.second = second
  }
}

/// What a finetune leaves behind.
package struct FinetuneOutcome: Sendable {
  /// The base, with zero biases added where the plant is a bias.
  package var base: any LanguageModel
  package var finetuned: any LanguageModel
  package var lora: LoRA?
  package let steps: Int
  /// The step at which the behaviour reached its mark, if it did.
  package let markStep: Int?
  /// The behaviour's score by step, as far as it was measured.
  package let curve: [CurvePoint]
  /// How often each token stood in the text that was trained on.
  package let said: [Int]
  /// Whether training left the numbers; the finetuned model is the base then.
  package var hasDiverged = false
  /// The finetunes that it was made by, if these are several.
  var stages: FinetuneCourse?

  package var length: FinetuneLength { FinetuneLength(steps: steps, markStep: markStep) }

  /// What is kept of the training beside the models.
  var record: TrainingRecord {
    TrainingRecord(
      steps: steps, markStep: markStep, curve: curve, said: said, hasDiverged: hasDiverged,
      stages: stages)
  }
}

/// How a plant was trained, kept beside its models.
package struct TrainingRecord: Codable, Sendable, Equatable {
  package let steps: Int
  package let markStep: Int?
  package let curve: [CurvePoint]
  private let counts: SparseCounts
  package let hasDiverged: Bool
  /// The finetunes that it was made by, if these are several.
  let stages: FinetuneCourse?

  /// How often each token stood in the finetuning text, by id; empty if there was none.
  package var said: [Int] { counts.all }

  init(
    steps: Int, markStep: Int?, curve: [CurvePoint], said: [Int], hasDiverged: Bool,
    stages: FinetuneCourse?
  ) {
    self.steps = steps
    self.markStep = markStep
    self.curve = curve
    counts = SparseCounts(said)
    self.hasDiverged = hasDiverged
    self.stages = stages
  }

  /// Counts of tokens of which most were never seen.
  private struct SparseCounts: Codable, Sendable, Equatable {
    /// Tokens that there are.
    let vocabulary: Int
    /// Those that were seen, ascending, and how often each was.
    let tokens, times: [Int]

    init(_ counts: [Int]) {
      vocabulary = counts.count
      tokens = counts.indices.filter { counts[$0] > 0 }
      times = tokens.map { counts[$0] }
    }

    var all: [Int] {
      guard (0...1 << 24).contains(vocabulary) else { return [] }
      var all = [Int](repeating: 0, count: vocabulary)
      for (token, times) in zip(tokens, times) where all.indices.contains(token) {
        all[token] = times
      }
      return all
    }
  }

  /// Of a pair that nothing was trained in.
  static let none = TrainingRecord(
    steps: 0, markStep: nil, curve: [], said: [], hasDiverged: false,
    stages: nil)

  /// What its null pairs go through.
  var course: FinetuneCourse { stages ?? FinetuneCourse(parts: [length]) }

  package var length: FinetuneLength { FinetuneLength(steps: steps, markStep: markStep) }
}
