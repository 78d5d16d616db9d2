import Statistics
import Tensors
internal import Organisms
import ArgumentParser
import Bench
import Files
import Foundation

struct BlessCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bless",
    abstract: "Accepts the scores of a tier as the expected ones: writes Fixtures/ledger.json.",
    discussion: """
      Run it after a change that is meant to move scores, read the difference, and commit it with \
      the reason. With --widen the scores of another processor's kernels join those that are \
      there, as in: ASSAY_KERNELS=avx2 OPENBLAS_CORETYPE=Haswell ./assay bless --widen. A method \
      that is new is blessed alone, by --method, and everything else stays.
      """)

  @OptionGroup var options: ProjectOptions

  @Option(help: "The tier to run.")
  var tier: Tier = .smoke

  @Option(
    name: .customLong("repeat"),
    help: "Runs, each with a method seed of its own: how far scores of the same code go apart.")
  var repeats = 8

  @Option(name: .customLong("method"), help: "Only this method; may be repeated.")
  var methods: [String] = []

  @Flag(help: "Keeps what was blessed on other machines and widens the intervals.")
  var widen = false

  func validate() throws {
    guard (1...100).contains(repeats) else {
      throw ValidationError("--repeat should be from 1 to 100.")
    }
  }

  func run() throws {
    let project = options.project
    try options.requireLedgersOrganisms()
    // Before the work: a ledger that cannot be read, or written, costs no run.
    let earlier = try Ledger.read(project.ledger)
    try AtomicFile.checkPlace(project.ledger)
    if widen || !methods.isEmpty, let earlier,
      earlier.tier != tier || earlier.methodSeeds != repeats
    {
      throw ValidationError(
        "The ledger is of \(earlier.methodSeeds) runs of the \(earlier.tier.rawValue) tier; add to it with --tier "
          + "\(earlier.tier.rawValue) --repeat \(earlier.methodSeeds).")
    }
    let workshop = try options.workshop()
    let seeds = tier.seeds.flatMap { $0.repeated(repeats) }
    let (trials, failures) = try GridRunner(
      workshop, try Grid(workshop.library, tier: tier, methods: methods, seeds: seeds),
      jobs: ProcessInfo.processInfo.activeProcessorCount, hasDummies: false
    ).run()
    guard failures.isEmpty else {
      failures.forEach { Notice.standardError("no answer: \($0)") }
      throw ExitCode(1)
    }
    let ledger = Ledger(
      trials, tier: tier, widening: widen ? earlier : nil,
      keeping: methods.isEmpty ? nil : earlier)
    if let earlier { show(ledger.changes(from: earlier)) }
    try ledger.write(to: project.ledger)
    let machines = ledger.machines.map(\.description)
    Console.show(
      "Wrote \(ledger.cells.count) cells, means of \(repeats) runs, blessed on \(machines.joined(separator: ", "))."
    )
  }

  private func show(_ changes: LedgerChanges) {
    Console.show(
      "\(changes.new) cells are new, \(changes.gone) gone; \(changes.moves.count) scores moved by more than their "
        + "margins.")
    for move in changes.moves.prefix(20) {
      Console.show(
        "  \(move.name): \(move.before.low)...\(move.before.high) is now \(move.after.low)...\(move.after.high)"
      )
    }
  }
}
