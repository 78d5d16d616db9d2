package import Bench
package import Diffing

/// What methods cost, each as if it had run alone.
package struct CostTable {
  private var table = TextTable(
    header: [
      "method", "tokens forward", "backward", "recorded before", "s", "peak MB",
    ])

  package init() {}

  /// Adds a method.
  ///
  /// - Parameters:
  ///   - row: The method.
  ///   - work: What it asked of the models.
  ///   - seconds: From start to end.
  ///   - peakMemory: The process's largest memory so far, in bytes.
  package mutating func add(
    _ row: MethodAtAccess, _ work: Work, seconds: Double, peakMemory: Int
  ) {
    table.rows.append([
      "\(row)", "\(work.tokensForward)", "\(work.tokensBackward)", "\(work.tokensShared)",
      Prose.number(work.seconds(elapsed: seconds)), "\(peakMemory >> 20)",
    ])
  }

  package var text: String { table.fitted }
}
