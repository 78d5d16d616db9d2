import ArgumentParser
import Bench
import Files
import Foundation

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract:
      "Writes a pair's folders for servers, and the command lines that serve and compare them.",
    discussion: """
      './assay plant taboo-animal --out pair' and './assay export pair --out served' write a planted pair; vLLM, Text \
      Generation Inference and transformers open the folders. What they serve, './assay diff --endpoint' compares.
      """)

  @OptionGroup(title: "What is told") var log: LogOptions

  @Argument(help: "The base's folder, or one that holds 'base' and 'finetuned' or 'adapter'.")
  var base: String

  @Argument(help: "The finetuned model's folder, or that of a PEFT adapter for the base.")
  var finetuned: String?

  @Option(help: "The folder to write.")
  var out: String

  func run() throws {
    let folder = URL(filePath: out)
    try AtomicFolder.check(folder, replacing: .served)
    let pair = try ServablePair(
      base: URL(filePath: base), finetuned: finetuned.map { URL(filePath: $0) }, to: folder)
    Console.show("Wrote \(out).")
    for way in pair.ways {
      Console.show("\n# \(way.server)\n\(way.lines.joined(separator: "\n"))")
    }
  }
}
