/// How much text of a world is read at once, by what its models cost.
package struct TextSizes: Sendable, Equatable {
  /// Tokens of a row that is trained on.
  package var rowLength = BaseRecipe(seed: 0).rowLength
  /// Rows of a finetune's batch.
  package var batchRows = 16
  /// Documents of a batch that are read one by one.
  package var singleDocuments = 64
  /// Steps of a finetune between two looks at the behaviour.
  package var stepsBetweenLooks = 2
  /// Rows of unrelated text for methods.
  package var unrelatedRows = 192
  /// Their tokens, at most.
  package var unrelatedLength = 32
  /// Rows of text that no training sees, on which losses are compared.
  package var heldOutRows = 96
  /// What a model says a step, and how often it goes on from the same prompt.
  package var samples = 64, groupSize = 8
  /// Sequences that a teacher says in all.
  package var sequences = 1024

  /// Those of worlds of words, whose models are tiny.
  static let words = TextSizes()
  /// Those of a model that people have.
  static let text = TextSizes(
    rowLength: 96, batchRows: 8, singleDocuments: 8, stepsBetweenLooks: 4, unrelatedRows: 16,
    unrelatedLength: 16, heldOutRows: 24, samples: 16, groupSize: 4, sequences: 64)
}
