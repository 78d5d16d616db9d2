import Foundation
import TestSupport
import Testing

/// The workflow in the repository, its steps run as they stand.
@Suite("The workflow of GitHub Actions")
struct WorkflowTests {
  private static let file = Fixtures.repository.appending(path: ".github/workflows/gate.yml")

  /// The commands of the steps, in their order.
  private func commands() throws -> [String] {
    try String(contentsOf: Self.file, encoding: .utf8).split(separator: "\n").compactMap { line in
      let line = line.trimmingCharacters(in: .whitespaces)
      return line.hasPrefix("run: ") ? String(line.dropFirst(5)) : nil
    }
  }

  /// Runs a command as a step is run, with the tool that the tests built.
  private func step(_ command: String, _ environment: [String: String]) throws -> (Int32, String) {
    let process = Process(), output = Pipe()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = [
      "-euo", "pipefail", "-c", command.replacing("./assay ", with: "'\(Tool.path.path)' "),
    ]
    process.currentDirectoryURL = Fixtures.repository
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  @Test("its steps judge a plant, add a page to the summary and write what is uploaded")
  func steps() throws {
    let commands = try commands()
    try #require(commands.count == 1 && commands[0].hasPrefix("./assay gate "))
    try Fixtures.withTemporaryFolder { folder in
      let summary = folder.appending(path: "summary.md")
      try Data("# Before\n".utf8).write(to: summary)
      let command = commands[0].replacing(
        "Reports/local/gate.sarif", with: "\(folder.path)/gate.sarif")
      let (code, output) = try step(
        command,
        [
          "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary.path,
          "ASSAY_GATE_OPTIONS":
            "--organism edited-capital --method weight-spectrum --out \(folder.path)",
        ])
      #expect(code == 0, "\(output)")
      let page = try String(contentsOf: summary, encoding: .utf8)
      #expect(page.hasPrefix("# Before\n## Assay gate\n\nThe gate passes."), "\(page)")
      #expect(!output.contains("::error"))
      for ending in ["md", "json", "csv", "xml", "jsonl", "sarif"] {
        let url = folder.appending(path: "gate.\(ending)")
        #expect(FileManager.default.fileExists(atPath: url.path), "gate.\(ending)")
      }
      // Without a ledger nothing is measured, and nothing passes.
      let (failed, errors) = try step(
        command.replacing("Fixtures/ledger.json", with: "\(folder.path)/none.json"),
        ["ASSAY_GATE_OPTIONS": "--out \(folder.path)"])
      #expect(failed == 3, "\(errors)")
      let lost = try String(contentsOf: folder.appending(path: "gate.json"), encoding: .utf8)
      #expect(lost.contains("\"outcome\": \"not-measured\"") && lost.contains("there is no ledger"))
    }
  }
}
