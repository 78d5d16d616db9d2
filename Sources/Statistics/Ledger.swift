package import Bench
internal import Files
internal import Tensors
internal import Scoring
package import Diffing
package import Foundation
internal import JSON
internal import Transformers

/// The scores that are expected: made by `assay bless`, compared by the recovery tests.
package struct Ledger: Codable, Sendable {
  /// The values of a figure over the machines that it was blessed on.
  package struct Interval: Codable, Equatable, Sendable {
    package let low: Double
    package let high: Double

    /// Whether a value is no further outside than a margin.
    package func contains(_ value: Double, margin: Double) -> Bool {
      (low - margin...high + margin).contains(value)
    }

    func joined(_ other: Interval?) -> Interval {
      guard let other else { return self }
      return Interval(low: min(low, other.low), high: max(high, other.high))
    }
  }

  /// The kernels that a blessed run used.
  package struct Machine: Codable, Equatable, Sendable {
    package let openBLASCore: String
    package let kernels: String
  }

  package let machines: [Machine]
  /// Scores by cell and question, each by its name.
  package let cells: [String: [String: Interval]]
  /// AUROC of planted against null pairs, by method and access.
  private let whether: [String: Interval]

  /// What was blessed of a cell.
  package func intervals(_ cell: Cell) -> [Question: Interval] {
    Question.allCases.reduce(into: [:]) { $0[$1] = interval(cell, $1) }
  }

  private func interval(_ cell: Cell, _ question: Question) -> Interval? {
    cells["\(cell)"]?[question.rawValue]
  }

  /// What was blessed of a method's *whether*.
  package func whether(_ row: MethodAtAccess) -> Interval? { whether["\(row)"] }

  /// Whether an organism was there when the ledger was blessed.
  package func knows(organism: String) -> Bool {
    cells.keys.contains { $0.contains(" \(organism)@") }
  }

  /// The least score at which a question counts as answered.
  ///
  /// Of *how*, the area over budgets of up to half a change: the whole change itself has a quarter.
  package static let marks: [Question: Double] = [
    .whether: 0.75, .what: 0.5, .when: 0.5, .where: 0.75, .how: 0.1,
  ]

  /// How far a score may lie outside the blessed interval.
  ///
  /// From committed bases, AVX-512 and AVX2 kernels agree to 1e-5 in every score. The margins leave
  /// room for processors that were not measured: for a planted word that trades places with another.
  package static let margins: [Question: Double] = [
    .whether: 0.05, .what: 0.1, .when: 0.05, .where: 0.1, .how: 0.05,
  ]

  /// Blesses the trials of a run.
  ///
  /// - Parameters:
  ///   - trials: The trials of a whole tier.
  ///   - earlier: A ledger of other machines to be widened, if there is one.
  package init(_ trials: [Trial], widening earlier: Ledger? = nil) {
    let own = trials.first.map {
      Machine(openBLASCore: $0.versions.openBLASCore, kernels: $0.versions.kernels)
    }
    let known = earlier?.machines ?? []
    machines = known + [own].compactMap { $0 }.filter { !known.contains($0) }
    var cells: [String: [String: Interval]] = [:]
    for trial in trials where !trial.isNull {
      for (question, score) in trial.scores {
        guard let value = score.value else { continue }
        let rounded = (value * 1000).rounded() / 1000
        cells["\(trial.cell)", default: [:]][question.rawValue] = Interval(
          low: rounded, high: rounded
        ).joined(earlier?.interval(trial.cell, question))
      }
    }
    self.cells = cells
    var whether: [String: Interval] = [:]
    for method in BenchSummary(trials).methods {
      guard let area = method.calibrated(\.area) else { continue }
      let rounded = (area * 1000).rounded() / 1000
      whether["\(method.row)"] = Interval(low: rounded, high: rounded)
        .joined(earlier?.whether(method.row))
    }
    self.whether = whether
  }

  /// Reads a ledger, or nothing if there is none yet.
  package static func read(_ url: URL) throws -> Ledger? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let own = try JSON.decode(Ledger.self, contentsOf: url)
    try own.check(file: url.lastPathComponent)
    return own
  }

  /// Refuses what no run would have written: a figure that there is not, or an interval that ends before it begins.
  private func check(file: String) throws {
    let known = Set(Question.allCases.map(\.rawValue))
    for (cell, figures) in cells.sorted(by: { $0.key < $1.key }) {
      guard cell.split(separator: " ").count >= 3, cell.split(separator: " ")[0].contains("@")
      else {
        throw LedgerError(file: file, reason: "'\(cell)' is no method@access subject@regime base")
      }
      for (name, interval) in figures {
        guard known.contains(name) else {
          throw LedgerError(
            file: file, reason: "'\(cell)' has a figure '\(name)', which is no question")
        }
        guard interval.low <= interval.high else {
          throw LedgerError(
            file: file, reason: "'\(cell)' \(name) goes from \(interval.low) to \(interval.high)")
        }
      }
    }
  }

  /// What another ledger has otherwise, the furthest first.
  package func changes(from earlier: Ledger) -> LedgerChanges {
    let cells = Set(self.cells.keys), before = Set(earlier.cells.keys)
    let moves = cells.intersection(before).flatMap { cell in
      Question.allCases.compactMap { question -> LedgerChanges.Move? in
        guard let own = self.cells[cell]?[question.rawValue],
          let old = earlier.cells[cell]?[question.rawValue]
        else { return nil }
        let distance = max(abs(own.low - old.low), abs(own.high - old.high))
        guard distance > Self.margins[question] ?? 0 else { return nil }
        return LedgerChanges.Move(
          name: "\(cell) \(question.rawValue)", before: old, after: own, distance: distance)
      }
    }
    return LedgerChanges(
      new: cells.subtracting(before).count, gone: before.subtracting(cells).count,
      moves: moves.sorted { ($1.distance, $0.name) < ($0.distance, $1.name) })
  }

  /// Writes the ledger, its keys in order, one cell a line.
  ///
  /// - Throws: `FileError.unwritable`.
  package func write(to url: URL) throws {
    try AtomicFile.write(Data(try text().utf8), to: url)
  }

  private func text() throws -> String {
    func line(_ entry: (key: String, value: some Encodable)) throws -> String {
      "    \(try JSON.encode(entry.key)): \(try JSON.encode(entry.value))"
    }
    let sortedCells = cells.sorted { $0.key < $1.key }.map { cell in
      (
        key: cell.key,
        value: SortedObject(
          entries: cell.value.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
      )
    }
    return """
      {
        "machines": \(try JSON.encode(machines)),
        "cells": {
      \(try sortedCells.map { try line($0) }.joined(separator: ",\n"))
        },
        "whether": {
      \(try whether.sorted { $0.key < $1.key }.map { try line($0) }.joined(separator: ",\n"))
        }
      }

      """
  }
}

/// A ledger that no run wrote.
package struct LedgerError: Error, CustomStringConvertible {
  let file, reason: String
  package var description: String {
    "\(file): \(reason). Mend the line, or './assay bless' writes the file anew."
  }
}

/// What blessing changed.
package struct LedgerChanges: Sendable {
  /// A figure that moved by more than its question's margin.
  package struct Move: Sendable {
    package let name: String
    package let before, after: Ledger.Interval
    package let distance: Double
  }

  /// How many cells there were not, and how many there are not any more.
  package let new, gone: Int
  package let moves: [Move]
}

/// A JSON object in a given order.
private struct SortedObject: Encodable {
  let entries: [(String, Ledger.Interval)]

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for (key, value) in entries { try container.encode(value, forKey: Key(key)) }
  }
}
