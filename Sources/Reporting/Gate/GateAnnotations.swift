package import Statistics

/// A gate as annotations of GitHub Actions: a line each on standard output.
package struct GateAnnotations {
  /// No more are shown of a step.
  private static let most = 10

  private let gate: Gate

  package init(_ gate: Gate) { self.gate = gate }

  /// The worst first.
  package var lines: [String] {
    GateFault.all(gate).prefix(Self.most).map { fault in
      "::error file=\(Self.property(fault.file)),line=1,title=\(Self.property(fault.title))"
        + "::\(Self.data(fault.message))"
    }
  }

  /// What ends neither the line nor the command.
  private static func data(_ text: String) -> String {
    text.replacing("%", with: "%25").replacing("\r\n", with: "%0D%0A")
      .replacing("\r", with: "%0D").replacing("\n", with: "%0A")
  }

  private static func property(_ text: String) -> String {
    data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
  }
}
