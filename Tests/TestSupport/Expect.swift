package import Tensors
package import Testing

/// Expects two lists of numbers to agree, and names the worst entry if they do not.
///
/// - Parameters:
///   - actual: What was computed.
///   - expected: What it should be.
///   - tolerance: The largest difference allowed, as a share of the largest expected magnitude.
///   - name: What the numbers are.
package func expectClose(
  _ actual: some Collection<Float>, _ expected: some Collection<Float>, tolerance: Float,
  _ name: String = "values", sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record(
      "\(name): \(actual.count) numbers instead of \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  let scale = max(expected.map(abs).max() ?? 0, 1e-6)
  var worst = (index: 0, error: Float(0), actual: Float(0), expected: Float(0))
  for (index, (a, e)) in zip(actual, expected).enumerated() where !(abs(a - e) <= worst.error) {
    worst = (index, abs(a - e), a, e)
  }
  #expect(
    worst.error <= tolerance * scale,
    "\(name)[\(worst.index)] is \(worst.actual), expected \(worst.expected)",
    sourceLocation: sourceLocation)
}

/// Expects two tensors to have the same shape and agree.
package func expectClose(
  _ actual: Tensor, _ expected: Tensor, tolerance: Float, _ name: String = "values",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.shape == expected.shape, "\(name): shapes", sourceLocation: sourceLocation)
  expectClose(
    actual.scalars, expected.scalars, tolerance: tolerance, name, sourceLocation: sourceLocation)
}
