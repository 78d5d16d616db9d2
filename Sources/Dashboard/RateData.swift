internal import Bench
internal import Diffing
internal import JSON
internal import Statistics

/// How often methods recover a plant, by the hierarchical model, as the page reads it.
struct RateData {
  let json: JSONValue

  /// - Parameters:
  ///   - summary: A run.
  ///   - settings: How long is sampled; nil for not at all.
  init(_ summary: BenchSummary, _ settings: SamplerSettings?) {
    guard let settings else {
      json = .array([])
      return
    }
    json = .array(
      AccessLevel.allCases.flatMap { access in
        let methods = summary.methods(at: access)
        return Question.allCases.compactMap { question in
          MethodPosterior(question, methods, settings: settings).map {
            Self.part(question, access, $0)
          }
        }
      })
  }

  private static func part(
    _ question: Question, _ access: AccessLevel, _ posterior: MethodPosterior
  ) -> JSONValue {
    .object([
      ("question", .string(question.rawValue)), ("access", .string(access.rawValue)),
      ("mark", .digits(Ledger.marks[question])), ("isSound", .bool(posterior.diagnostics.isSound)),
      (
        "rows",
        .array(
          posterior.rows.map { row in
            .object(
              JSONValue.estimate(row.rate, row.interval) + [
                ("name", .string(row.row.method)), ("recovered", .count(row.recovered)),
                ("plants", .count(row.plants)),
                ("best", .digits(posterior.probabilityOfBest(row))),
              ])
          })
      ),
    ])
  }
}
