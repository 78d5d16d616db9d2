internal import Worlds
internal import Foundation
internal import JSON

/// The same step in PyTorch, in a process of its own that answers line by line.
package final class PyTorchSpeed {
  /// Why PyTorch could not be measured.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private static let stopped =
    "PyTorch stopped. Is torch installed? Name a Python that has it: --python."

  private struct Request: Encodable {
    let width, layers, heads, keyHeads, intermediate, vocabulary, batch, threads, steps: Int
    let kind: SpeedKind
  }

  private struct DictionaryRequest: Encodable {
    let width, models, latents, sparsity, batch, steps: Int
    let threads = 1
    let kind = "crosscoder"
  }

  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var buffer = Data()

  /// Starts `Fixtures/pytorch_speed.py`.
  ///
  /// - Parameters:
  ///   - project: The checkout.
  ///   - python: A Python with torch.
  /// - Throws: `Failure`.
  package init(_ project: Project, python: String) throws {
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      python, project.root.appending(path: "Fixtures/pytorch_speed.py").path,
    ]
    process.standardInput = input
    process.standardOutput = output
    do {
      try process.run()
    } catch {
      throw Failure(description: "'\(python)' could not be started.")
    }
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  /// Asks for one measurement.
  ///
  /// - Throws: `Failure` with PyTorch's own words.
  package func measure(_ shape: SpeedShape, _ kind: SpeedKind, steps: Int, threads: Int)
    throws -> Throughput
  {
    let request = Request(
      width: shape.width, layers: shape.layers, heads: shape.heads,
      keyHeads: shape.keyHeads, intermediate: shape.intermediate, vocabulary: shape.vocabulary,
      batch: shape.batch, threads: threads, steps: steps, kind: kind)
    return try answer(to: request)
  }

  /// The same of a crosscoder, on one thread.
  ///
  /// - Throws: `Failure` with PyTorch's own words.
  package func measure(_ shape: DictionaryShape, steps: Int) throws -> Throughput {
    try answer(
      to: DictionaryRequest(
        width: shape.width, models: shape.models, latents: shape.latents,
        sparsity: shape.sparsity, batch: shape.batch, steps: steps))
  }

  private func answer(to request: some Encodable) throws -> Throughput {
    let text = Data((try JSON.encode(request) + "\n").utf8)
    guard (try? input.fileHandleForWriting.write(contentsOf: text)) != nil else {
      throw Failure(description: Self.stopped)
    }
    let answer = try JSON.parse(try line(), file: "pytorch_speed.py")
    guard case .number(let wall)? = answer["tokensPerSecond"],
      case .number(let processor)? = answer["tokensPerCPUSecond"]
    else { throw Failure(description: "PyTorch answered: \(JSON.text(of: answer))") }
    return Throughput(tokensPerSecond: wall, tokensPerCPUSecond: processor)
  }

  private func line() throws -> Data {
    while true {
      if let end = buffer.firstIndex(of: 0x0A) {
        defer { buffer = Data(buffer[(end + 1)...]) }
        return Data(buffer[..<end])
      }
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else {
        throw Failure(description: Self.stopped)
      }
      buffer.append(more)
    }
  }
}
