import Bench
import Diffing
import Foundation
import TestSupport
import Testing

@Suite("What a magnitude is worth")
struct MagnitudeScaleTests {
  private let cell = MethodAtAccess("output-divergence", .unrelated)

  @Test("without nulls it is said, with what the committed report says of the method")
  func uncalibrated() throws {
    let scale = MagnitudeScale(Project(root: Fixtures.repository))
    let text = scale.standing(of: 1, cell)
    #expect(text.hasPrefix("not calibrated; harmless narrow finetunes look larger than plants in "))
    let report = try String(
      contentsOf: Fixtures.repository.appending(path: "Reports/standard.md"), encoding: .utf8)
    let rates = MagnitudeScale.narrowRates(report)
    for access in AccessLevel.allCases { #expect(rates.keys.contains { $0.access == access }) }
    #expect(rates.values.allSatisfy { (0...1).contains($0) })
    try Fixtures.withTemporaryFolder { folder in
      #expect(MagnitudeScale(Project(root: folder)).standing(of: 1, cell) == "not calibrated")
    }
  }

  @Test("a report's column is read by its name, a level's table at a time")
  func columns() {
    let report = """
      | from weights | whether | narrow |
      | --- | ---: | ---: |
      | weight-norm | 0.68 | 0.71° |

      | from pool | narrow | novel |
      | weight-norm | 0.9 | 0.1 |
      | activation-patching | - | - |

      | other | narrow |
      | weight-norm | 0.2 |
      """
    let rates = MagnitudeScale.narrowRates(report)
    #expect(rates == [.init("weight-norm", .weights): 0.71, .init("weight-norm", .pool): 0.9])
  }

  @Test("among nulls it has a place and a p-value")
  func nulls() {
    var scale = MagnitudeScale(Project(root: Fixtures.repository))
    for magnitude in [0.1, 0.3, nil, 0.2] { scale.add(cell, magnitude) }
    #expect(scale.standing(of: 0.25, cell) == "larger than 3 of 4 nulls, p = 0.4")
    #expect(scale.standing(of: 5, cell) == "larger than 4 of 4 nulls, p = 0.2")
    // An equal one is no smaller.
    #expect(scale.standing(of: 0, cell) == "larger than 0 of 4 nulls, p = 1")
  }
}
