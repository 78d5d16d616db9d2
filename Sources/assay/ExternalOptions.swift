import ArgumentParser
import Bench
import Diffing
import Foundation

/// People's programs beside Assay's methods.
struct ExternalOptions: ParsableArguments {
  @Option(
    name: .customLong("external"),
    help: ArgumentHelp(
      "A program of your own as a method: NAME='command {base} {finetuned} {prompts} {out}'; may be repeated.",
      discussion: """
        NAME@weights,pool='...' runs it at these levels of access; without any at the pool. A command without places \
        stays up and answers a line of JSON for each pair. See CONTRIBUTING.md.
        """,
      valueName: "name=command"))
  var definitions: [String] = []

  @Option(
    name: .customLong("external-seconds"), help: "How long such a program may take for a pair.")
  var seconds = 600.0

  @Option(
    name: .customLong("external-memory"),
    help: "GiB of memory that each process of such a program may have.")
  var memory = 8.0

  @Option(
    name: .customLong("external-file"),
    help: "A file that such a program depends on: after a change of it, everything is asked anew.")
  var files: [String] = []

  func validate() throws {
    guard seconds > 0, seconds < 1e6 else {
      throw ValidationError("--external-seconds should be above 0.")
    }
    guard memory > 0, memory < 1e6 else {
      throw ValidationError("--external-memory should be above 0.")
    }
    _ = try programs
  }

  var programs: [ExternalMethod] {
    get throws {
      let programs = try definitions.map { definition in
        do { return try ExternalMethod(definition, files: files) } catch {
          throw ValidationError("\(error)")
        }
      }
      guard Set(programs.map(\.card.id)).count == programs.count else {
        throw ValidationError("--external names a method twice.")
      }
      return programs
    }
  }

  /// What runs them; nil if there are none.
  var pool: ProgramPool? {
    guard !definitions.isEmpty, let supervisor = Bundle.main.executableURL else { return nil }
    return ProgramPool(
      supervisor: supervisor,
      limits: ProgramLimits(seconds: seconds, memory: Int(memory * 1_073_741_824)))
  }
}
