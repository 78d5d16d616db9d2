import ArgumentParser
import Bench
import Foundation
import JSON

struct SpeedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "speed",
    abstract: "Measures training and forward speed, on request beside PyTorch in the same run.")

  @OptionGroup var options: ProjectOptions

  @Flag(help: "Runs the same step in PyTorch, in turn with ours.")
  var againstPytorch = false

  @Flag(
    help:
      "Measures the shape of SmolLM2-135M, and LoRA training of it, instead of the worlds' models'."
  )
  var large = false

  @Option(help: "A Python that has torch; for --large transformers and peft too.")
  var python = "python3"

  @Option(help: "Turns; the median counts.")
  var rounds = 7

  @Flag(help: "Prints JSON.")
  var json = false

  /// One row of the result.
  struct Row: Encodable {
    let shape: SpeedShape
    let kind: SpeedKind
    let threads: Int
    let assay: Throughput
    let pytorch: Throughput?
    let wallRatio: Double?
    let cpuRatio: Double?
  }

  /// The process's largest memory so far after a training step of a shape.
  struct Memory: Encodable {
    let shape: String
    let mebibytes: Int
  }

  struct Result: Encodable {
    let engine: String
    let rows: [Row]
    let memory: [Memory]
  }

  func validate() throws {
    guard rounds > 0 else { throw ValidationError("--rounds should be at least 1.") }
  }

  func run() throws {
    let pytorch = againstPytorch ? try PyTorchSpeed(options.project, python: python) : nil
    var rows: [Row] = []
    var memory: [Memory] = []
    if !json { Console.show(engineDescription) }
    for shape in large ? SpeedShape.large : SpeedShape.small {
      let engine = EngineSpeed(shape)
      memory.append(Memory(shape: shape.name, mebibytes: peakMemory() >> 20))
      for (kind, threads) in shape.kinds.flatMap({ [($0, 1), ($0, 2)] }) {
        let row = try measure(shape, engine, pytorch, kind, threads)
        rows.append(row)
        if !json { Console.show(text(row)) }
      }
    }
    let result = Result(engine: engineDescription, rows: rows, memory: memory)
    if json { Console.showJSON(try JSON.encode(result, layout: .pretty)) }
  }

  private func measure(
    _ shape: SpeedShape, _ engine: EngineSpeed, _ pytorch: PyTorchSpeed?,
    _ kind: SpeedKind, _ threads: Int
  ) throws -> Row {
    let steps = max(1, 256 / shape.width * (kind == .forward ? 6 : 2))
    var ours: [Throughput] = []
    var theirs: [Throughput] = []
    for _ in 0..<rounds {
      ours.append(engine.measure(kind, steps: steps, threads: threads))
      if let pytorch {
        theirs.append(try pytorch.measure(shape, kind, steps: steps, threads: threads))
      }
    }
    // Each turn's own ratio: the machine's speed drifts between turns.
    func ratio(_ value: (Throughput) -> Double) -> Double? {
      let ratios = zip(ours, theirs).map { value($0) / value($1) }.sorted()
      return ratios.isEmpty ? nil : ratios[ratios.count / 2]
    }
    return Row(
      shape: shape, kind: kind, threads: threads, assay: .median(ours),
      pytorch: theirs.isEmpty ? nil : .median(theirs), wallRatio: ratio(\.tokensPerSecond),
      cpuRatio: ratio(\.tokensPerCPUSecond))
  }

  private func text(_ row: Row) -> String {
    let threads = row.threads == 1 ? "1 thread " : "2 threads"
    var line =
      "\(column(row.shape.name, 30))\(column(row.kind.rawValue, 8))\(threads) "
      + "\(Int(row.assay.tokensPerSecond)) tokens/s"
    if let wall = row.wallRatio, let cpu = row.cpuRatio {
      line += ", \(fixed(wall, 2))x PyTorch (\(fixed(cpu, 2))x in CPU time)"
    }
    return line
  }
}
