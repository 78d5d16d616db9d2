package import Bench
package import Diffing
package import Foundation
internal import JSON
internal import Organisms

/// Orderings that were published for large models, checked on the trials of a run: a data file, written before the run.
///
/// Each compares two figures at one level of access: what is trivial with the pool is hard from unrelated text, so that
/// an ordering across levels says nothing of methods. One margin holds for all.
package struct PublishedOrderings: Codable, Sendable {
  /// The least difference that counts as one.
  package let margin: Double
  package let orderings: [Ordering]

  /// What was published, and the two figures that it puts in an order.
  package struct Ordering: Codable, Sendable {
    package let claim: String
    package let source: String
    package let access: AccessLevel
    /// Whether only organisms that both sides have on a base are compared, each with itself.
    package let isPaired: Bool?
    package let more, less: Side
  }

  /// One figure of one method.
  package struct Side: Codable, Sendable {
    package let method: String
    /// The title of a column, or `magnitude`.
    package let figure: String
    /// The standard regimes of the plants; all if not given.
    package let regimes: [String]?
    package let families: [String]?
    /// How far a plant's own regime was turned, as `x5` or `1:16`; not at all if not given.
    package let dial: String?
  }

  /// What a run says of an ordering.
  package enum Verdict: String, Sendable {
    /// The difference is the margin or more, and its interval is above nothing.
    case holds
    /// The whole interval is below the margin.
    case fails
    case notClear = "not clear"
  }

  /// An ordering with what was measured.
  package struct Finding: Sendable {
    package let ordering: Ordering
    package let more, less: Double
    package let difference: PairedDifference
    package let verdict: Verdict
  }

  /// Reads the data file, or nothing if there is none.
  ///
  /// - Throws: An error that names the file and the place, also of a figure that there is not.
  package static func read(_ url: URL) throws -> PublishedOrderings? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let own = try JSON.decode(PublishedOrderings.self, contentsOf: url)
    try own.check(file: url.lastPathComponent)
    return own
  }

  private func check(file: String) throws {
    guard margin > 0, margin < 1 else {
      throw PublishedOrderingError.invalid(
        "'margin' should be above 0 and below 1", file: file)
    }
    for ordering in orderings {
      for side in [ordering.more, ordering.less] where Column.named(side.figure) == nil {
        throw PublishedOrderingError.unknownFigure(side.figure, file: file)
      }
      guard ordering.more.figure == ordering.less.figure else {
        throw PublishedOrderingError.invalid(
          "'\(ordering.claim)' compares '\(ordering.more.figure)' with '\(ordering.less.figure)', which are no two "
            + "figures of one kind", file: file)
      }
    }
  }

  /// Checks every ordering that some trials have both figures of.
  package func findings(_ trials: [Trial]) -> [Finding] {
    let rows = Dictionary(grouping: trials.filter { !$0.row.isDummy }, by: \.row)
    return orderings.compactMap { finding($0, rows) }
  }

  private func finding(_ ordering: Ordering, _ rows: [MethodAtAccess: [Trial]]) -> Finding? {
    func trials(_ side: Side) -> [Trial] {
      let row = MethodAtAccess(side.method, ordering.access)
      return (rows[row] ?? []).filter { $0.isNull || side.includes($0) }
    }
    var more = trials(ordering.more), less = trials(ordering.less)
    if ordering.isPaired == true { (more, less) = (more.sharing(less), less.sharing(more)) }
    guard let a = Column.named(ordering.more.figure), let b = Column.named(ordering.less.figure),
      let first = more.first, let second = less.first,
      let both = ColumnIntervals([
        (a, MethodSummary(first.row, trials: more)), (b, MethodSummary(second.row, trials: less)),
      ]), both.estimates.count == 2
    else { return nil }
    let difference = PairedDifference(both.estimates[0], both.estimates[1])
    return Finding(
      ordering: ordering, more: both.estimates[0].value, less: both.estimates[1].value,
      difference: difference, verdict: verdict(difference))
  }

  private func verdict(_ difference: PairedDifference) -> Verdict {
    guard let interval = difference.interval, difference.witnesses >= Self.leastWitnesses else {
      return .notClear
    }
    if interval.high < margin { return .fails }
    let isMore = interval.low > 0 && difference.probability < ConfidenceInterval.error
    return isMore && difference.value >= margin ? .holds : .notClear
  }

  /// Fewer families, or organisms of one family, or bases of one organism, settle nothing.
  package static let leastWitnesses = 4
}

/// A mistake in the data file.
package enum PublishedOrderingError: Error, CustomStringConvertible {
  case unknownFigure(String, file: String)
  case invalid(String, file: String)

  package var description: String {
    switch self {
    case .unknownFigure(let figure, let file):
      "\(file): there is no figure '\(figure)'. \(Self.hint(figure))"
    case .invalid(let fault, let file): "\(file): \(fault)."
    }
  }

  private static func hint(_ figure: String) -> String {
    let all = Set(Column.known.map(\.title)).sorted()
    return nearest(to: figure, among: all).map { "Did you mean '\($0)'?" }
      ?? "There are \(all.joined(separator: ", "))."
  }
}

extension PublishedOrderings.Side {
  /// Whether a plant is one that the figure is about.
  fileprivate func includes(_ trial: Trial) -> Bool {
    (regimes?.contains(trial.standard) ?? true) && (families?.contains(trial.family) ?? true)
      && trial.planting.dial?.label == dial
  }
}

extension [Trial] {
  /// The null pairs, and the installed plants of organisms that the others have on the same base too.
  fileprivate func sharing(_ others: [Trial]) -> [Trial] {
    func places(_ trials: [Trial]) -> Set<String> {
      Set(
        trials.filter { !$0.isNull && $0.isInstalled }.map { "\($0.pair.subject) \($0.seeds)" })
    }
    let both = places(others)
    return filter { $0.isNull || $0.isInstalled && both.contains("\($0.pair.subject) \($0.seeds)") }
  }
}

extension Column {
  /// Columns that orderings may name.
  static let known =
    (ColumnGroup.all + [.floors]).flatMap(\.columns).filter(\.hasIntervals)
    + [Column("magnitude", "the method's own measure of the change", .mean { _ in \.magnitude })]

  static func named(_ title: String) -> Column? { known.first { $0.title == title } }
}
