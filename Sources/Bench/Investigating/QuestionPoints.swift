package import Diffing

/// What a verdict earns, question by question; nil where a question cannot be asked of the pair.
package struct QuestionPoints: Codable, Equatable, Sendable {
  private let whether, what, when, `where`: Int?

  package init(_ points: [Question: Int]) {
    whether = points[.whether]
    what = points[.what]
    when = points[.when]
    `where` = points[.where]
  }

  package subscript(question: Question) -> Int? {
    switch question {
    case .whether: whether
    case .what: what
    case .when: when
    case .where: `where`
    case .how: nil
    }
  }

  package var sum: Int { [whether, what, when, `where`].compactMap(\.self).reduce(0, +) }
}
