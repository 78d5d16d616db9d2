internal import Bench
internal import Diffing
package import Statistics

/// The methods of one level of access, row by row, by a group of columns.
package struct MethodTable: Sendable {
  private let group: ColumnGroup
  private let methods: [MethodSummary]
  private let heading: String

  /// - Parameters:
  ///   - group: The columns.
  ///   - methods: The rows, all of one level of access.
  ///   - heading: What stands above the methods' names.
  package init(_ group: ColumnGroup, _ methods: [MethodSummary], heading: String = "method") {
    self.group = group
    self.methods = methods
    self.heading = heading
  }

  /// The table; a column that no method fills is left out.
  package var table: TextTable {
    let columns = group.columns.filter { column in
      methods.contains { column.figure($0) != nil }
    }
    return TextTable(
      header: [heading] + columns.map(\.title),
      rows: methods.map { method in
        [method.row.method] + columns.map { Self.cell($0, method) }
      })
  }

  private static func cell(_ column: Column, _ method: MethodSummary) -> String {
    let value = column.figure(method), text = Prose.number(value, column.decimals)
    guard value != nil, let reference = column.reference else { return text }
    return "\(text) / \(Prose.number(reference(method), column.decimals))"
  }

  /// What the columns of a group say.
  package static func legend(_ group: ColumnGroup) -> String {
    let meanings = group.columns.map { "\($0.title): \($0.meaning)" }
    return Prose.wrapped(meanings.joined(separator: ". ") + ".")
  }
}
