package import Bench
internal import Foundation
internal import JSON

/// A comparison of weights alone as lines of text.
package struct WeightComparisonText {
  package let text: String

  /// - Parameters:
  ///   - comparison: What was compared.
  ///   - top: How many names of each kind to show.
  package init(_ comparison: WeightComparison, top: Int) {
    let changed = comparison.rows.filter(\.isChanged)
    func figure(_ value: Double) -> String { String(format: "%.4g", value) }
    func list(_ names: [String]) -> String {
      names.prefix(top).map { Printable.line($0) }.joined(separator: " ")
        + (names.count > top ? " and \(names.count - top) more" : "")
    }
    let rounded = comparison.rows.count(where: \.isRounded)
    var lines = [
      "weights, tensor by tensor",
      "  whether: \(figure(comparison.relativeChange)) share of the weights' norm; "
        + "\(changed.count) of \(comparison.rows.count) tensors changed"
        + (rounded > 0 ? ", \(rounded) more are only rounded" : ""),
    ]
    func add(_ question: String, _ text: String) {
      lines.append("  " + Prose.wrapped("\(question): \(text)", indent: "    "))
    }
    if !changed.isEmpty {
      add(
        "where",
        changed.prefix(top).map {
          "\(Printable.line($0.name)) (\($0.relativeChange.map(figure) ?? "was zero"))"
        }
        .joined(separator: ", "))
    }
    for (title, names) in [
      ("only in the first", comparison.onlyFirst), ("only in the second", comparison.onlySecond),
      ("of other shapes", comparison.reshaped),
      ("not read", comparison.unread),
    ] where !names.isEmpty {
      add(title, list(names))
    }
    text = lines.joined(separator: "\n")
  }
}
