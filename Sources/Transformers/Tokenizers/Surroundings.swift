/// The tokens that a tokenizer puts around a document.
struct Surroundings: Sendable, Equatable {
  var before: [Int] = [], after: [Int] = []

  /// A document's tokens; a start that is written out is not put there twice.
  func around(_ tokens: [Int]) -> [Int] {
    (tokens.starts(with: before) ? [] : before) + tokens + after
  }
}
