import Bench
import Diffing
import Reporting
import Scoring
import TestSupport
import Testing

@Suite("The page on rankings at several sizes")
struct TransferReportTests {
  private func run(_ name: String, _ figure: (Int) -> Double) -> NamedRun {
    let methods = ["first-method", "second-method", "third-method-with-a-long-name"]
    return NamedRun(
      name,
      methods.indices.flatMap { method in
        (0..<8).map { plant in
          .sample(
            method: methods[method], access: .unrelated, subject: "\(name)-\(plant)",
            family: "family-\(plant / 2)", scores: [.what: .scored(figure(method), chance: 0)])
        }
      })
  }

  @Test("every two sizes are compared, in lines of a page's width")
  func page() {
    let text = TransferReport([
      run("small", { 0.1 * Double($0) }), run("large", { 0.2 * Double($0) }),
      run("real", { 0.5 - 0.1 * Double($0) }),
    ]).text
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    for part in ["## small and real", "## large and real", "small, large"] {
      #expect(text.contains(part), "\(part)")
    }
    // One order at both tiny sizes, the opposite one in the real model.
    #expect(text.contains("     1.00 |") && text.contains("-1.00 [-1.00, -1.00]"))
    #expect(text.contains("first-method@unrelated"))
    #expect(text.contains("third-method-with-a-long-name .20") && text.contains("first-method .50"))
  }
}
