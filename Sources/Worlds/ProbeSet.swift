internal import Foundation
internal import Tensors
package import Transformers

/// Questions of several probes; a probe's questions count as one.
package struct ProbeSet: Sendable {
  /// Questions by probe.
  package let questions: [[Probe.Question]]
  /// Everything that a model reads to be asked, question by question.
  package let batch: TokenBatch

  package init(_ questions: [[Probe.Question]]) {
    self.questions = questions
    batch = TokenBatch(questions.flatMap { $0.flatMap(\.rows) })
  }

  /// Fills a list of probes.
  package init(_ probes: [Probe], lexicon: Lexicon, facts: [String: [String: String]] = [:]) throws
  {
    self.init(try probes.map { try $0.questions(lexicon, facts: facts) })
  }

  package var isEmpty: Bool { questions.isEmpty }

  /// The probability of the answers, averaged over questions and then over probes.
  ///
  /// - Parameters:
  ///   - model: Who is asked.
  ///   - interventions: Edits of the model's activations while it is asked.
  /// - Returns: A number from 0 to 1; 0 if there is no probe.
  package func score(_ model: some LanguageModel, editing interventions: [Intervention] = [])
    -> Double
  {
    Self.mean(scores(model, editing: interventions))
  }

  /// The score, whole and with each question's probability spread over the words of its answer, p^(1/words): a bound
  /// on the second asks as much of a sentence as of a word.
  package func wholeAndPerWord(_ model: some LanguageModel) -> (whole: Double, perWord: Double) {
    let probabilities = probabilities(model)
    let perWord = zip(questions, probabilities).map { group, values in
      zip(group, values).map { pow($1, 1 / $0.wordsAnAnswer) }
    }
    return (Self.mean(probabilities.map(Self.mean)), Self.mean(perWord.map(Self.mean)))
  }

  private static func mean(_ scores: [Double]) -> Double {
    scores.isEmpty ? 0 : scores.reduce(0, +) / Double(scores.count)
  }

  /// The score of each probe.
  package func scores(_ model: some LanguageModel, editing interventions: [Intervention] = [])
    -> [Double]
  {
    probabilities(model, editing: interventions).map(Self.mean)
  }

  /// The probability of each question's answers, by probe.
  private func probabilities(
    _ model: some LanguageModel, editing interventions: [Intervention] = []
  )
    -> [[Double]]
  {
    guard !questions.isEmpty else { return [] }
    // Where rows end, an answer's tokens are predicted one by one: as many logits are read as it has tokens.
    let ends = batch.lastIndices
    let read = zip(questions.joined().flatMap(\.rowsRead), ends).flatMap { count, end in
      end - count + 1...end
    }
    let pass = model.forward(
      batch, recording: [], editing: interventions, logits: .at(read))
    let logits = Matrix(pass.logits)
    logSoftmax(logits)
    var row = 0
    return questions.map { group in group.map { $0.score(logits, from: &row) } }
  }
}

extension Probe.Question {
  /// How many of the last logits of each of its rows are read.
  fileprivate var rowsRead: [Int] {
    let longer = answers.map(\.count).filter { $0 > 1 }
    return (longer.count < answers.count ? [1] : []) + longer
  }

  /// The probability of its answers, by the log-probabilities after its rows.
  ///
  /// - Parameter row: The first of these; moved on behind them.
  fileprivate func score(_ logits: Matrix, from row: inout Int) -> Double {
    let short = row
    row += answers.contains { $0.count == 1 } ? 1 : 0
    let probability = answers.reduce(0.0) { sum, answer in
      let first = answer.count == 1 ? short : row
      if answer.count > 1 { row += answer.count }
      let logarithm = answer.enumerated().reduce(0.0) {
        $0 + Double(logits[first + $1.offset, $1.element])
      }
      return sum + Double(exponential(Float(logarithm)))
    }
    return isInverted ? 1 - probability : probability
  }
}
