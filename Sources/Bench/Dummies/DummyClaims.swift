internal import Diffing
internal import Transformers

extension MethodCard {
  /// A dummy's card: `random` becomes `random-dummy`.
  static func dummy(
    _ name: String, _ summary: String, questions: [Question] = Question.allCases,
    access: [AccessLevel] = [.pool]
  ) -> MethodCard {
    MethodCard(
      id: name + MethodAtAccess.dummySuffix, summary: summary, source: "Assay",
      questions: questions, access: access)
  }
}

extension SiteClaim {
  /// Claims of modules in an order that is given.
  static func inOrder(_ modules: [ModuleSite]) -> [SiteClaim] {
    modules.enumerated().map { SiteClaim(site: $0.element, score: -Float($0.offset)) }
  }
}

extension InputClaim {
  /// Claims of rows in an order that is given.
  static func inOrder(_ rows: [Int]) -> [InputClaim] {
    rows.enumerated().map { InputClaim(row: $0.element, score: -Float($0.offset)) }
  }
}

extension ProposedIntervention {
  /// What finetuning changed in some tensors.
  static func finetune(of names: [String]) -> ProposedIntervention {
    .weights(names.map { TensorEdit(name: $0, change: .ofFinetune(factor: 1)) })
  }
}

extension PromptSet {
  /// The tokens after which dummies read an answer: of a prompt the last, of running text every one.
  var readIndices: [Int] {
    access == .pool ? text.lastIndices : Array(text.tokens.indices)
  }
}
