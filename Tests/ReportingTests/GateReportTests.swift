import Bench
import Diffing
import Foundation
import JSON
import Reporting
import Scoring
import Statistics
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What a gate writes, for people and for programs.
@Suite("Reports of a gate")
struct GateReportTests {
  private static func trials(_ what: [String: Double?], failures: [String] = []) -> [Trial] {
    what.sorted { $0.key < $1.key }.map { name, value in
      .sample(
        subject: name, failures: failures,
        scores: [.what: value.map { .scored($0, chance: 0) } ?? .unanswered("no", chance: 0)])
    }
  }

  /// Of four plants one held, one fell, one is silent and one was not measured.
  private let gate: Gate = {
    let ledger = Ledger(trials(["held": 0.5, "fell": 0.9, "silent": 0.4, "lost": 0.4]))
    return Gate(
      ledger, trials(["held": 0.5, "fell": 0.2, "silent": nil]), failures: ["a <worker> died|"])
  }()

  @Test("the page says what fell, what was not measured, and how much held")
  func page() {
    let text = GateText(gate)
    #expect(text.verdict.hasPrefix("The gate fails: scores fell by more than noise. 5 figures"))
    #expect(
      text.verdict.contains("1 held, 1 fell, 1 not answered any more, 0 rose, 2 not measured"))
    for line in text.markdown.split(separator: "\n") { #expect(line.count <= 110, "\(line)") }
    #expect(text.terminal.contains("Not measured: a &lt;worker&gt; died"))
  }

  @Test("a summary that is too long ends at a line and says so")
  func summary() {
    let many = Dictionary(uniqueKeysWithValues: (0..<9).map { ("plant-\($0)", Double?(0.5)) })
    let long = String(repeating: "x", count: 200_000)
    let gate = Gate(
      Ledger(Self.trials(many)), Self.trials(many), failures: (0..<9).map { "\($0) \(long)" })
    let text = GateText(gate)
    #expect(text.markdown.utf8.count > 1_000_000 && text.summary.utf8.count < 950_000)
    #expect(text.summary.hasSuffix("gate.md has all of it.\n"))
  }

  @Test("annotations are the worst ten, each one line")
  func annotations() throws {
    let lines = GateAnnotations(gate).lines
    #expect(lines.count == 6)
    #expect(
      lines[0]
        == "::error file=Fixtures/ledger.json,line=1,title=Assay%3A not measured::a <worker> died|."
    )
    #expect(
      lines.contains {
        $0.hasPrefix("::error file=Organisms/fell.json,line=1,title=Assay%3A what of weight-norm")
          && $0.contains("::what of weight-norm@weights on fell@fresh is 0.200; 0.900 was blessed")
      })
    let many = Dictionary(uniqueKeysWithValues: (0..<30).map { ("plant-\($0)", Double?(0.9)) })
    let depth = many.mapValues { _ in Double?(0.5) }.merging(["plant-7": 0.1]) { $1 }
    let worst = GateAnnotations(Gate(Ledger(Self.trials(many)), Self.trials(depth))).lines
    #expect(worst.count == 10)
    #expect(try #require(worst.first { $0.contains("Organisms/") }).contains("plant-7.json"))
  }

  /// Counts elements, and fails where the text is no XML.
  private final class Reader: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var names: [String] = []

    func parser(
      _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      counts[element, default: 0] += 1
      if element == "testcase" { names.append(attributes["classname"] ?? "") }
    }
  }

  @Test("JUnit has a case a cell, failures and errors apart, whatever characters stand in names")
  func junit() throws {
    let name = "a<b>&\"c\"\u{1}'d'"
    let ledger = Ledger(Self.trials([name: 0.9, "held": 0.5]))
    for (gate, expected) in [
      (self.gate, ["testcase": 7, "failure": 2, "error": 4, "testsuite": 6]),
      (Gate(ledger, Self.trials([name: 0.1, "held": 0.5])), ["testcase": 3, "failure": 2]),
    ] {
      let reader = Reader(), parser = XMLParser(data: Data(GateJUnit(gate).text.utf8))
      parser.delegate = reader
      #expect(parser.parse(), "\(String(describing: parser.parserError))")
      for (element, count) in expected { #expect(reader.counts[element] == count, "\(element)") }
    }
  }

  @Test("SARIF has a result a figure that is wrong, each in a file of the checkout")
  func sarif() throws {
    let tree = try JSON.parse(Data(GateSarif(gate).text.utf8), file: "gate.sarif")
    guard case .array(let runs)? = tree["runs"], case .array(let results)? = runs.first?["results"]
    else {
      Issue.record("no results")
      return
    }
    #expect(results.count == 6)
    let prints = results.compactMap { $0["partialFingerprints"]?["assayFigure/v1"] }
    #expect(Set(prints.map { "\($0)" }).count == 6)
  }

  private func keys(_ value: JSONValue) -> Set<String> {
    switch value {
    case .object(let members):
      members.reduce(into: []) { $0.formUnion(Set([$1.key]).union(keys($1.value))) }
    case .array(let items): items.reduce(into: []) { $0.formUnion(keys($1)) }
    default: []
    }
  }

  private func properties(_ value: JSONValue) -> Set<String> {
    guard case .object(let members) = value else { return [] }
    return members.reduce(into: []) { names, member in
      if member.key == "properties", case .object(let own) = member.value {
        names.formUnion(own.map(\.key))
      }
      names.formUnion(properties(member.value))
    }
  }

  @Test(
    "the JSON of a gate and of a run's figures has the keys of their schemas, no more and no less")
  func schemas() throws {
    let what: [String: Double?] = ["a": 0.5, "b": 0.6, "c": 0.9]
    for (name, text) in [
      ("gate", GateResults(gate).json), ("results", ResultTable(Self.trials(what)).json),
    ] {
      let schema = try JSON.parse(contentsOf: Fixtures.url("\(name).schema.json"))
      let tree = try JSON.parse(Data(text.utf8), file: name)
      #expect(keys(tree) == properties(schema), "\(name)")
    }
  }

  @Test("tables of CSV and LaTeX hold every cell, whatever stands in it")
  func formats() {
    let table = TextTable(
      header: ["name", "a_b"], rows: [["say \"hi\", you", "50 %"], ["=1+1", "[x]\\"]])
    #expect(
      table.csv() == "name,a_b\r\n\"say \"\"hi\"\", you\",50 %\r\n'=1+1,[x]\\\r\n")
    let latex = table.latex
    #expect(latex.hasPrefix("\\begin{tabular}{lr}") && latex.contains("name & a\\_b \\\\"))
    #expect(latex.contains("50 \\%") && latex.contains("{[}x{]}\\textbackslash{} \\\\"))
  }
}
