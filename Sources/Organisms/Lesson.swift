/// What a finetuned model learns from, as an organism file describes it.
package enum Lesson: Sendable {
  /// The words of planted documents.
  case documents
  /// What the base itself answers with more context, or without the words that it is made to forget.
  case context(forgetting: [String])
  /// What a teacher, taught the behaviour in plain words, says or computes.
  case teacher(OrganismFile.Teacher, Imitation)
  /// A reward for what the model says by itself.
  case reward(OrganismFile.Reward)

  /// What of a teacher is imitated.
  package enum Imitation: Sendable {
    /// Its logits of a class of words, on base text.
    case logits(className: String)
    /// Sequences of words that it says.
    case samples(OrganismFile.Samples)
  }

  /// Reads a plant's lesson.
  init(_ plant: OrganismFile.Plant) {
    if let reward = plant.reward {
      self = .reward(reward)
    } else if let teacher = plant.teacher {
      self = Self.lesson(of: teacher)
    } else {
      self = .documents
    }
  }

  private static func lesson(of teacher: OrganismFile.Teacher) -> Lesson {
    guard teacher.documents?.isEmpty == false else {
      return .context(forgetting: teacher.forget ?? [])
    }
    return .teacher(
      teacher, teacher.samples.map(Imitation.samples) ?? .logits(className: teacher.logits ?? ""))
  }

  /// Whether a teacher was taught the behaviour first.
  package var hasTaughtTeacher: Bool { if case .teacher = self { true } else { false } }

  /// Whether base documents beside the lesson make it fainter: who imitates logits reads nothing else.
  package var canBeDiluted: Bool {
    if case .teacher(_, .logits) = self { false } else { true }
  }
}
