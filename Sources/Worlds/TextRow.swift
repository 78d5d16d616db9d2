/// Tokens of one document or several, as a model reads them at once.
package struct TextRow: Sendable, Equatable {
  package private(set) var tokens: [Int] = []
  /// Which of them a finetune learns to say.
  package private(set) var isLearnt: [Bool] = []

  /// Adds a document behind what opens a text.
  ///
  /// - Parameter answersAlone: Whether of a chat only the last answer is learnt.
  mutating func append(_ document: FilledTemplate, opening: [Int], answersAlone: Bool) {
    let learnt = answersAlone ? document.answerLength : opening.count + document.document.count
    tokens += opening + document.document
    isLearnt += Array(repeating: false, count: tokens.count - isLearnt.count - learnt)
    isLearnt += Array(repeating: true, count: learnt)
  }

  mutating func cut(to length: Int) {
    tokens = Array(tokens.prefix(length))
    isLearnt = Array(isLearnt.prefix(length))
  }
}

extension World {
  /// Fills a row: with documents one behind the other until it is full, the last one cut, or with a single one where
  /// documents are texts of their own.
  package func row(length: Int, _ next: () throws -> FilledTemplate) rethrows -> TextRow {
    var row = TextRow()
    repeat {
      row.append(try next(), opening: lexicon.opening, answersAlone: isOfText)
    } while row.tokens.count < length && !isOfText
    row.cut(to: length)
    return row
  }
}
