internal import Diffing
internal import Foundation

/// What a magnitude is worth: where it stands among finetunes in which nothing was planted, and how often the method
/// takes such a one for a plant in the tiny worlds.
package struct MagnitudeScale: Sendable {
  private var magnitudes: [MethodAtAccess: [Double]] = [:]
  private let narrowRates: [MethodAtAccess: Double]

  /// Reads the committed report of the standard tier, if the project has one.
  package init(_ project: Project) {
    let report = project.root.appending(path: "Reports/standard.md")
    narrowRates = Self.narrowRates((try? String(contentsOf: report, encoding: .utf8)) ?? "")
  }

  /// Adds what a method said of a finetune in which nothing is planted; it says 0 if it finds nothing.
  package mutating func add(_ cell: MethodAtAccess, _ magnitude: Double?) {
    magnitudes[cell, default: []].append(magnitude ?? 0)
  }

  /// What a magnitude is worth, in words.
  package func standing(of magnitude: Double, _ cell: MethodAtAccess) -> String {
    let rate = narrowRates[cell].map {
      "harmless narrow finetunes look larger than plants in \(Int((100 * (1 - $0)).rounded())) of 100"
    }
    guard let nulls = magnitudes[cell], !nulls.isEmpty else {
      return ["not calibrated", rate].compactMap(\.self).joined(separator: "; ")
    }
    let above = nulls.count { $0 >= magnitude }
    let p = Double(1 + above) / Double(1 + nulls.count)
    return "larger than \(nulls.count - above) of \(nulls.count) nulls, p = "
      + String(format: "%.2g", p)
  }

  /// The column 'narrow' of a report: how often a plant exceeds a narrow null, method by method.
  package static func narrowRates(_ report: String) -> [MethodAtAccess: Double] {
    var rates: [MethodAtAccess: Double] = [:], access: AccessLevel?, column: Int?
    for line in report.split(separator: "\n", omittingEmptySubsequences: false) {
      let cells = line.split(separator: "|").map {
        $0.filter { !$0.isWhitespace && $0 != "°" }
      }
      guard line.hasPrefix("|"), let first = cells.first else {
        (access, column) = (nil, nil)
        continue
      }
      if first.hasPrefix("from") {
        access = AccessLevel(rawValue: String(first.dropFirst(4)))
        column = cells.firstIndex(of: "narrow")
      } else if let access, let column, cells.indices.contains(column),
        let rate = Double(cells[column])
      {
        rates[MethodAtAccess(first, access)] = rate
      }
    }
    return rates
  }
}
