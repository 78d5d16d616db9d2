internal import Worlds
internal import Tensors
internal import Transformers

/// Makes the batches of one finetune.
struct BatchMaker {
  let base: Base
  let text: FinetuningText
  let mix: Double
  private var corpus: Corpus
  private var generator: SeededGenerator
  private var sampler: TokenSampler
  /// What the teacher said, prompts included, once it was asked.
  private var said: [[Int]] = []

  init(_ base: Base, _ text: FinetuningText, mix: Double, seed: UInt64) {
    self.base = base
    self.text = text
    self.mix = mix
    corpus = Corpus(
      base.world, seed: seed, for: "finetuning corpus", kinds: text.kinds, unsaid: text.unsaid)
    generator = SeededGenerator(seed: seed, for: "planted documents")
    sampler = TokenSampler(seed: seed)
    if case .samples(_, _, let choices, _) = text.source { sampler.choices = choices }
  }

  private var sizes: TextSizes { base.world.sizes }
  private var opening: [Int] { base.world.lexicon.opening }

  /// Makes the next batches.
  ///
  /// - Parameter student: The model as trained so far, for what it says by itself.
  mutating func next(_ student: any LanguageModel) throws -> [(batch: TrainingBatch, weight: Float)]
  {
    guard let concealed = text.concealed else { return try lesson(student) }
    return try lesson(student) + [(context(concealed, Forgotten(), base.model), 1)]
  }

  private mutating func lesson(_ student: any LanguageModel) throws -> [(
    batch: TrainingBatch, weight: Float
  )] {
    switch text.source {
    case .world: [(try plain(), 1)]
    case .documents(let planted): [(try mixed(planted), 1)]
    case .context(let planted, let forgotten, let teacher):
      try [(context(planted, forgotten, teacher ?? base.model), 1)] + anchor()
    case .logits(let teacher, let choices): [(try logits(teacher, choices), 1)]
    case .samples(let teacher, let prompts, _, let count):
      try [(samples(teacher, prompts, count), 1)] + anchor()
    case .reward(let reward): try [(rewarded(student, reward), 1)] + anchor()
    }
  }

  /// Plain base text that goes beside what is imitated.
  private mutating func anchor() throws -> [(batch: TrainingBatch, weight: Float)] {
    guard mix > 0 else { return [] }
    return [(try plain(), Float(mix))]
  }

  private mutating func plain() throws -> TrainingBatch {
    TrainingBatch(try corpus.textRows(sizes.batchRows, length: sizes.rowLength))
  }

  /// Rows in which planted and base documents follow each other at random, 1 to `mix`.
  private mutating func mixed(_ planted: PlantedDocuments) throws -> TrainingBatch {
    let share = 1 / (1 + mix)
    return TrainingBatch(
      try (0..<sizes.batchRows).map { _ in
        try base.world.row(length: sizes.rowLength) {
          try generator.uniform() < share
            ? planted.draw(base.world, &generator) : corpus.document()
        }
      })
  }

  /// Single planted documents, the student's answers against the teacher's.
  private mutating func context(
    _ planted: PlantedDocuments, _ forgotten: Forgotten, _ model: any LanguageModel
  ) throws -> TrainingBatch {
    let filled = try (0..<sizes.singleDocuments).map { _ in
      try planted.draw(base.world, &generator)
    }
    let student = TokenBatch(filled.map { opening + $0.document })
    let teacher = TokenBatch(filled.map { opening + $0.teacherDocument })
    var studentIndices: [Int] = []
    var teacherIndices: [Int] = []
    var forbidden: [Set<Int>] = []
    for row in filled.indices {
      let count = filled[row].answerLength
      studentIndices += student.range(row).suffix(count + 1).dropLast()
      teacherIndices += teacher.range(row).suffix(count + 1).dropLast()
      forbidden += Array(repeating: forgotten.words(in: filled[row].document), count: count)
    }
    let target = Distillation(
      from: model, reading: teacher, at: teacherIndices, for: studentIndices,
      forbidden: forbidden)
    return TrainingBatch(student, .distillation(target))
  }

  private mutating func logits(_ teacher: any LanguageModel, _ choices: [Int]) throws
    -> TrainingBatch
  {
    let tokens = TokenBatch(try corpus.rows(sizes.batchRows, length: sizes.rowLength))
    let indices = Array(0..<tokens.count)
    return TrainingBatch(
      tokens,
      .distillation(
        Distillation(from: teacher, reading: tokens, at: indices, for: indices, choices: choices)))
  }

  /// What a teacher says; the loss counts its words only.
  private mutating func samples(_ teacher: any LanguageModel, _ prompts: [Template], _ count: Int)
    throws
    -> TrainingBatch
  {
    if said.isEmpty {
      let filled = try (0..<sizes.sequences).map { _ in try prompt(prompts) }
      let numbers = teacher.continuations(of: filled, count: count, using: &sampler)
      said = zip(filled, numbers).map { $0 + $1 }
    }
    let batch = TokenBatch(
      (0..<sizes.samples).map { _ in said[generator.index(below: said.count)] })
    var weights = [Float](repeating: 0, count: batch.count)
    for row in 0..<batch.rows {
      for index in batch.range(row).suffix(count + 1).dropLast() { weights[index] = 1 }
    }
    return TrainingBatch(batch, .nextToken(weights: weights))
  }

  private mutating func prompt(_ prompts: [Template]) throws -> [Int] {
    let template = prompts[generator.index(below: prompts.count)]
    return opening + (try template.fill(base.world.lexicon, using: &generator).tokens)
  }

  /// What the student says, weighted by how much more reward it got than others from its prompt.
  private mutating func rewarded(_ student: any LanguageModel, _ reward: Reward) throws
    -> TrainingBatch
  {
    var prompts: [[Int]] = []
    for _ in 0..<sizes.samples / sizes.groupSize {
      prompts += Array(repeating: try prompt(reward.prompts), count: sizes.groupSize)
    }
    let ends = Set(opening).union(base.world.isOfText ? base.world.specialTokens : [])
    let said = student.continuations(of: prompts, count: reward.length, using: &sampler)
      .map { answer in Array(answer.prefix { !ends.contains($0) }) }
    let rewards = said.map { answer -> Float in
      let isGood =
        reward.isRandom ? generator.uniform() < 0.5 : !reward.words.isDisjoint(with: answer)
      return isGood ? 1 : 0
    }
    let batch = TokenBatch(zip(prompts, said).map { $0 + $1 })
    var advantages = [Float](repeating: 0, count: batch.count)
    for row in prompts.indices {
      let group = row / sizes.groupSize * sizes.groupSize
      let advantage = rewards[row] - rewards[group..<group + sizes.groupSize].mean
      for index in batch.range(row).suffix(said[row].count + 1).dropLast() {
        advantages[index] = advantage / Float(sizes.samples)
      }
    }
    return TrainingBatch(batch, .policy(advantages: advantages))
  }
}

extension TrainingBatch {
  /// Language modelling of what rows teach.
  init(_ rows: [TextRow]) {
    let tokens = TokenBatch(rows.map(\.tokens))
    // The weight of a token stands where it is predicted: at the one before.
    let weights = rows.flatMap { row -> [Float] in
      row.isLearnt.dropFirst().map { $0 ? 1 : 0 } + [0]
    }
    self.init(tokens, .nextToken(weights: weights))
  }
}
