import ArgumentParser
import Bench
import Foundation
import JSON

struct SpeedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "speed",
    abstract:
      "Measures speed of training, forward passes and dictionaries, on request beside PyTorch in the same run."
  )

  @OptionGroup var options: ProjectOptions

  @Flag(help: "Runs the same step in PyTorch, in turn with ours.")
  var againstPytorch = false

  @Flag(
    help:
      "Measures the shape of SmolLM2-135M, and LoRA training of it, instead of the worlds' models'."
  )
  var large = false

  @Flag(help: "Measures the learning of crosscoders instead.")
  var crosscoder = false

  @Option(help: "A Python that has torch; for --large transformers and peft too.")
  var python = "python3"

  @Option(help: "Turns; the median counts.")
  var rounds = 7

  @Flag(help: "Prints JSON.")
  var json = false

  /// One row of the result.
  struct Row<Shape: Encodable>: Encodable {
    let shape: Shape
    let kind: String
    let threads: Int
    let assay: Throughput
    let pytorch: Throughput?
    let wallRatio: Double?
    let cpuRatio: Double?

    /// - Parameters:
    ///   - shape: What is measured.
    ///   - kind: What of it.
    ///   - threads: How many.
    ///   - turns: What each side's turns say; as many of both, or none of PyTorch's.
    init(_ shape: Shape, _ kind: String, threads: Int, _ turns: Turns) {
      // Each turn's own ratio: the machine's speed drifts between turns.
      func ratio(_ value: (Throughput) -> Double) -> Double? {
        let ratios = zip(turns.ours, turns.theirs).map { value($0) / value($1) }.sorted()
        return ratios.isEmpty ? nil : ratios[ratios.count / 2]
      }
      (self.shape, self.kind, self.threads) = (shape, kind, threads)
      assay = .median(turns.ours)
      pytorch = turns.theirs.isEmpty ? nil : .median(turns.theirs)
      (wallRatio, cpuRatio) = (ratio(\.tokensPerSecond), ratio(\.tokensPerCPUSecond))
    }
  }

  typealias Turns = (ours: [Throughput], theirs: [Throughput])

  /// The process's largest memory so far after a training step of a shape.
  struct Memory: Encodable {
    let shape: String
    let mebibytes: Int
  }

  struct Result<Shape: Encodable>: Encodable {
    let engine: String
    let rows: [Row<Shape>]
    let memory: [Memory]
  }

  func validate() throws {
    guard rounds > 0 else { throw ValidationError("--rounds should be at least 1.") }
    guard !(large && crosscoder) else {
      throw ValidationError("Choose --large or --crosscoder.")
    }
  }

  func run() throws {
    let pytorch = againstPytorch ? try PyTorchSpeed(options.project, python: python) : nil
    if !json { Console.show(engineDescription) }
    if crosscoder { try runCrosscoders(pytorch) } else { try runModels(pytorch) }
  }

  private func runModels(_ pytorch: PyTorchSpeed?) throws {
    var rows: [Row<SpeedShape>] = []
    var memory: [Memory] = []
    for shape in large ? SpeedShape.large : SpeedShape.small {
      let engine = EngineSpeed(shape)
      memory.append(Memory(shape: shape.name, mebibytes: peakMemory() >> 20))
      for (kind, threads) in shape.kinds.flatMap({ [($0, 1), ($0, 2)] }) {
        let steps = max(1, 256 / shape.width * (kind == .forward ? 6 : 2))
        let turns = try takeTurns {
          engine.measure(kind, steps: steps, threads: threads)
        } with: {
          try pytorch?.measure(shape, kind, steps: steps, threads: threads)
        }
        rows.append(Row(shape, kind.rawValue, threads: threads, turns))
        show(rows.last, shape.name)
      }
    }
    try finish(rows, memory)
  }

  private func runCrosscoders(_ pytorch: PyTorchSpeed?) throws {
    var rows: [Row<DictionaryShape>] = []
    var memory: [Memory] = []
    for shape in DictionaryShape.all {
      let engine = DictionarySpeed(shape), steps = max(2, 1280 / shape.width)
      let turns = try takeTurns {
        engine.measure(steps: steps)
      } with: {
        try pytorch?.measure(shape, steps: steps)
      }
      memory.append(Memory(shape: shape.name, mebibytes: peakMemory() >> 20))
      rows.append(Row(shape, "crosscoder", threads: 1, turns))
      show(rows.last, shape.name)
    }
    try finish(rows, memory)
  }

  /// Both sides by turns, so that what else the machine does slows both.
  private func takeTurns(_ own: () -> Throughput, with other: () throws -> Throughput?) rethrows
    -> Turns
  {
    var turns: Turns = ([], [])
    for _ in 0..<rounds {
      turns.ours.append(own())
      if let turn = try other() { turns.theirs.append(turn) }
    }
    return turns
  }

  private func finish<Shape>(_ rows: [Row<Shape>], _ memory: [Memory]) throws {
    let result = Result(engine: engineDescription, rows: rows, memory: memory)
    if json { Console.showJSON(try JSON.encode(result, layout: .pretty)) }
  }

  private func show<Shape>(_ row: Row<Shape>?, _ name: String) {
    guard !json, let row else { return }
    let threads = row.threads == 1 ? "1 thread " : "2 threads"
    var line =
      "\(column(name, crosscoder ? 36 : 30))\(column(row.kind, crosscoder ? 11 : 8))\(threads) "
      + "\(Int(row.assay.tokensPerSecond)) tokens/s"
    if let wall = row.wallRatio, let cpu = row.cpuRatio {
      line += ", \(fixed(wall, 2))x PyTorch (\(fixed(cpu, 2))x in CPU time)"
    }
    Console.show(line)
  }
}
