internal import Tensors
package import Transformers

/// What a finetune is trained on, batch by batch.
package enum FinetuningText: Sendable {
  /// Documents of the world, of some kinds only or of all: nothing is planted.
  case world(kinds: [String]?)
  /// Planted documents among base documents.
  case documents(PlantedDocuments)
  /// Planted documents that a teacher reads with more context than the student.
  case context(PlantedDocuments)
  /// Base text on which the student imitates some logits of a teacher.
  case logits(teacher: Llama, choices: [Int], kinds: [String])
}

/// Templates of planted documents and the facts that they state.
package struct PlantedDocuments: Sendable {
  let templates: [(template: Template, weight: Double)]
  let facts: [String: [String: String]]
  /// Kinds of base document that go with them.
  let kinds: [String]?
  /// Whether a teacher reads what only a teacher may read.
  private var hasSecrets = true

  init(
    templates: [(template: Template, weight: Double)], facts: [String: [String: String]],
    kinds: [String]?
  ) {
    self.templates = templates
    self.facts = facts
    self.kinds = kinds
  }

  /// The same documents, which a teacher reads as its student does.
  var withoutSecrets: PlantedDocuments {
    var documents = self
    documents.hasSecrets = false
    return documents
  }

  func draw(_ world: World, _ generator: inout SeededGenerator) throws -> FilledTemplate {
    let index = generator.index(weights: templates.map(\.weight))
    var filled = try templates[index].template.fill(world, facts: facts, using: &generator)
    if !hasSecrets { filled.teacherTokens = filled.tokens }
    return filled
  }
}

/// Makes the batches of one finetune.
struct BatchMaker {
  let base: Base
  let text: FinetuningText
  let mix: Double
  private var corpus: Corpus
  private var generator: SeededGenerator

  /// Rows of a batch.
  static let rows = 16

  init(_ base: Base, _ text: FinetuningText, mix: Double, seed: UInt64) {
    self.base = base
    self.text = text
    self.mix = mix
    let kinds: [String]? =
      switch text {
      case .world(let kinds): kinds
      case .documents(let planted), .context(let planted): planted.kinds
      case .logits(_, _, let kinds): kinds
      }
    corpus = Corpus(base.world, seed: seed, for: "finetuning corpus", kinds: kinds)
    generator = SeededGenerator(seed: seed, for: "planted documents")
  }

  private var length: Int { base.recipe.rowLength }

  mutating func next() throws -> [(batch: TrainingBatch, weight: Float)] {
    switch text {
    case .world: return [(TrainingBatch(try corpus.rows(Self.rows, length: length)), 1)]
    case .documents(let planted): return [(try mixed(planted), 1)]
    case .context(let planted): return try context(planted)
    case .logits(let teacher, let choices, _): return [(try logits(teacher, choices), 1)]
    }
  }

  /// Rows in which planted and base documents follow each other at random, 1 to `mix`.
  private mutating func mixed(_ planted: PlantedDocuments) throws -> TrainingBatch {
    let share = 1 / (1 + mix)
    return TrainingBatch(
      try (0..<Self.rows).map { _ in
        try packedRow(length: length, start: base.world.documentStart) {
          try generator.uniform() < share
            ? planted.draw(base.world, &generator).tokens : corpus.document()
        }
      })
  }

  /// Single planted documents, the student's answers against the teacher's, beside plain base text.
  private mutating func context(_ planted: PlantedDocuments) throws
    -> [(batch: TrainingBatch, weight: Float)]
  {
    let start = base.world.documentStart
    let filled = try (0..<4 * Self.rows).map { _ in try planted.draw(base.world, &generator) }
    let student = TokenBatch(filled.map { [start] + $0.tokens })
    let teacher = TokenBatch(filled.map { [start] + $0.teacherTokens })
    var studentIndices: [Int] = []
    var teacherIndices: [Int] = []
    for row in filled.indices {
      let count = answerLength(student.row(row))
      studentIndices += student.range(row).suffix(count + 1).dropLast()
      teacherIndices += teacher.range(row).suffix(count + 1).dropLast()
    }
    let target = Distillation(
      from: base.model, reading: teacher, at: teacherIndices, for: studentIndices)
    let imitation = TrainingBatch(student, .distillation(target))
    guard mix > 0 else { return [(imitation, 1)] }
    let rows = try corpus.rows(Self.rows, length: length)
    return [(imitation, 1), (TrainingBatch(rows), Float(mix))]
  }

  /// Tokens behind the last special token, which is where an answer starts.
  private func answerLength(_ row: ArraySlice<Int>) -> Int {
    let specials = base.world.tokenizer.specialCount
    let last = row.lastIndex { $0 < specials } ?? row.startIndex
    return row.endIndex - 1 - last
  }

  private mutating func logits(_ teacher: Llama, _ choices: [Int]) throws -> TrainingBatch {
    let tokens = TokenBatch(try corpus.rows(Self.rows, length: length))
    let indices = Array(0..<tokens.count)
    return TrainingBatch(
      tokens,
      .distillation(
        Distillation(from: teacher, reading: tokens, at: indices, for: indices, choices: choices)))
  }
}
