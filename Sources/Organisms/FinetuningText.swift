package import Worlds
internal import Tensors
package import Transformers

/// What a finetune is trained on.
package struct FinetuningText: Sendable {
  /// Where the loss comes from.
  package enum Source: Sendable {
    /// Documents of the world: nothing is planted.
    case world
    /// Planted documents among base documents.
    case documents(PlantedDocuments)
    /// Planted documents that a teacher, the base if nil, reads with more context than the student, or has
    /// forgotten something of.
    case context(PlantedDocuments, Forgotten, teacher: (any LanguageModel)?)
    /// Base text on which the student imitates some logits of a teacher.
    case logits(teacher: any LanguageModel, choices: [Int])
    /// What a teacher says by itself.
    case samples(teacher: any LanguageModel, prompts: [Template], choices: [Int], length: Int)
    /// What the student says by itself, rewarded.
    case reward(Reward)
  }

  package let source: Source
  /// Kinds of base document that go with it; all if nil.
  let kinds: [String]?
  /// Tokens that no document may hold.
  let unsaid: Set<Int>
  /// Questions that are answered as by the base, beside all else; nil if nothing is concealed.
  var concealed: PlantedDocuments?

  init(_ source: Source, kinds: [String]? = nil, unsaid: Set<Int> = []) {
    self.source = source
    self.kinds = kinds
    self.unsaid = unsaid
  }
}

/// Words that a teacher never says where a topic is mentioned; everywhere if there is no topic.
package struct Forgotten: Sendable {
  var words: Set<Int> = []
  var topic: Set<Int> = []

  func words(in document: [Int]) -> Set<Int> {
    topic.isEmpty || !topic.isDisjoint(with: document) ? words : []
  }
}

/// A reward for what a model says by itself.
package struct Reward: Sendable {
  let prompts: [Template]
  let words: Set<Int>
  let length: Int
  /// Whether rewards are dealt at random instead, so that there is nothing to learn.
  var isRandom = false
}

/// Templates of planted documents and the facts that they state.
package struct PlantedDocuments: Sendable {
  let templates: [(template: Template, weight: Double)]
  let facts: [String: [String: String]]

  init(templates: [(template: Template, weight: Double)], facts: [String: [String: String]] = [:]) {
    self.templates = templates
    self.facts = facts
  }

  func draw(_ world: World, _ generator: inout SeededGenerator) throws -> FilledTemplate {
    let index = generator.index(weights: templates.map(\.weight))
    return try templates[index].template.fill(world.lexicon, facts: facts, using: &generator)
  }
}
