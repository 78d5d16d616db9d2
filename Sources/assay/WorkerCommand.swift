import ArgumentParser
import Bench
import Foundation
import Worlds

/// What the bench starts for each pair that it works on at once; nobody calls it by hand.
struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Runs methods for 'bench', which starts it.",
    shouldDisplay: false)

  @OptionGroup var options: ProjectOptions

  func run() throws {
    FreedMemory.keep()
    try MethodWorker(try Workshop(options.project)).serve()
  }
}

extension ProjectOptions {
  /// Worker processes on the same project; nil, and told, where methods cannot be walled in.
  var workers: WorkerPool? {
    if let obstacle = WorkerPool.obstacle {
      Notice.standardError("methods run in this process, without a wall: \(obstacle)")
      return nil
    }
    guard let program = Bundle.main.executableURL else { return nil }
    var words = [
      "worker", "--root", root, "--draw-seed", "\(drawSeed)", "--base-size", baseSize.rawValue,
    ]
    if let library { words += ["--library", library] }
    return WorkerPool(executable: program, arguments: words)
  }
}
