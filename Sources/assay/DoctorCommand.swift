import ArgumentParser
import Bench
import Foundation
import JSON

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Says what is well with a model's folder, or with a pair, and what is not.",
    discussion: """
      One line a check: ok, note or fault, and what to do. It ends with 1 if there is a fault. 'diff' makes the same \
      checks of a pair and prints those that are not ok.
      """)

  @OptionGroup(title: "What is told") var log: LogOptions

  @Argument(help: "A model's folder or GGUF file.")
  var base: String

  @Argument(help: "A model that was made of it: a folder, a GGUF file or a PEFT adapter.")
  var finetuned: String?

  func run() throws {
    var findings: [Finding] = []
    let (own, first) = Doctor.findings(URL(filePath: base))
    findings += show(own, of: finetuned == nil ? nil : "first")
    if let finetuned, let first {
      let (others, second) = PairFolders.findings(URL(filePath: finetuned), of: first)
      findings += show(others, of: "second")
      if let second { findings += show(Doctor.findings(first, second), of: "both") }
    }
    if findings.contains(where: { $0.level == .fault }) { throw ExitCode(1) }
  }

  /// Prints findings as they are made.
  private func show(_ findings: [Finding], of model: String?) -> [Finding] {
    for finding in findings {
      let whose = model.map { column($0, 7) } ?? ""
      Console.show(
        column(finding.level.rawValue, 6) + whose + column(finding.topic, 13) + finding.text)
    }
    return findings
  }
}
