internal import Bench
internal import Diffing
package import Statistics

/// The methods of one level of access, row by row, by a group of columns.
package struct MethodTable: Sendable {
  private let group: ColumnGroup
  private let methods, dummies: [MethodSummary]
  private let heading: String

  /// - Parameters:
  ///   - group: The columns.
  ///   - methods: The rows, all of one level of access.
  ///   - dummies: What they have to beat: rows of their own under them.
  ///   - heading: What stands above the methods' names.
  package init(
    _ group: ColumnGroup, _ methods: [MethodSummary], beside dummies: [MethodSummary] = [],
    heading: String = "method"
  ) {
    self.dummies = dummies
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
      rows: (methods + dummies).map { method in
        [method.row.method] + columns.map { cell($0, method) }
      })
  }

  /// Stands behind a figure that a dummy reaches.
  package static let mark = "°"

  private func cell(_ column: Column, _ method: MethodSummary) -> String {
    let text = Prose.number(column.figure(method), column.decimals)
    let isMarked = !method.row.isDummy && column.isBeaten(method, by: dummies)
    // What is not marked keeps the place, so that figures stand under each other.
    return dummies.isEmpty || !column.isScore ? text : text + (isMarked ? Self.mark : " ")
  }

  /// What the columns of a group say.
  package static func legend(_ group: ColumnGroup) -> String {
    let meanings = group.columns.map { "\($0.title): \($0.meaning)" }
    return Prose.wrapped(meanings.joined(separator: ". ") + ".")
  }
}
