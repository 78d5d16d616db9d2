import ArgumentParser
import Bench
import Diffing
import JSON
import Organisms
import Reporting
import Transformers

/// What all games have in common.
enum GameOptions {
  static func check(budgets: [Int], level: Double) throws {
    guard budgets.allSatisfy((0...1000).contains) else {
      throw ValidationError("--budget should be from 0 to 1000.")
    }
    guard level >= 1e-4, level < 1 else {
      throw ValidationError("--level should be at least 0.0001 and below 1.")
    }
  }

  /// Refuses methods that a run did not ask.
  static func check(_ rows: [MethodAtAccess], among trials: [Trial]) throws {
    let known = Set(trials.map(\.row.description))
    for row in rows where !known.contains(row.description) {
      let hint =
        nearest(to: row.description, among: known.sorted())
        .map { " Did you mean '\($0)'?" } ?? ""
      throw ValidationError("The run has nothing of '\(row)'.\(hint)")
    }
  }

  /// A method at a level of access, as people name it.
  static func row(_ name: String) throws -> MethodAtAccess {
    guard let row = MethodAtAccess(name) else {
      throw ValidationError("'\(name)' is no METHOD@ACCESS; 'prompt-battery@pool' is one.")
    }
    return row
  }

  /// The trials of one half of the organisms, with those of no half.
  static func half(_ trials: [Trial], isHeldOut: Bool) -> [Trial] {
    trials.filter { isHeldOut ? $0.half != .development : $0.half != .heldOut }
  }

  static let nothingKept = ValidationError(
    "There is nothing to decide about: these pairs are not kept, which 'assay bench' does, or nobody answered."
  )

  /// What a method says, as somebody reads it who asks.
  static func text(_ evidence: Evidence, _ session: QuestionSession) -> String {
    EvidenceText(
      evidence, unit: nil, tokenizer: session.tokenizer,
      prompts: TokenBatch(session.witness.prompts), top: 10, standing: { _ in nil }
    ).text
  }
}
