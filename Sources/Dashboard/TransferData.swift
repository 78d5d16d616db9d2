internal import Bench
internal import Diffing
internal import JSON
internal import Statistics

/// Whether a run ranks methods as runs of other sizes do, as the page reads it.
struct TransferData {
  let json: JSONValue

  /// - Parameters:
  ///   - trials: A run's.
  ///   - others: What it is compared with.
  init(_ trials: [Trial], _ others: [NamedRun]) {
    json = .array(
      others.map { other in
        let transfer = RankingTransfer(trials, other.trials)
        return .object([
          ("name", .string(other.name)), ("families", .texts(transfer.families)),
          ("rows", .array(transfer.agreements.map(Self.row))),
        ])
      })
  }

  private static func row(_ agreement: RankingTransfer.Agreement) -> JSONValue {
    .object([
      ("question", .string(agreement.question.rawValue)),
      ("access", .string(agreement.access.rawValue)),
      ("spearman", correlation(agreement.spearman)), ("kendall", correlation(agreement.kendall)),
      (
        "methods",
        .array(
          agreement.methods.map { method in
            .object([
              ("name", .string(method.row.method)), ("first", .digits(method.first)),
              ("second", .digits(method.second)),
            ])
          })
      ),
    ])
  }

  private static func correlation(_ own: RankingTransfer.Correlation?) -> JSONValue {
    own.map { .object(JSONValue.estimate($0.value, $0.interval)) } ?? .null
  }
}
