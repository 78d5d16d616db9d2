package import Bench
package import Diffing
internal import Files
package import Foundation
internal import JSON

/// The scores that are expected: made by `assay bless`, compared by `assay gate` and the recovery tests.
package struct Ledger: Codable, Sendable {
  /// What was blessed of a figure.
  package struct Expectation: Codable, Equatable, Sendable {
    /// The least and the largest over the machines that it was blessed on, of each the mean over method seeds.
    package let low, high: Double
    /// The standard deviation over method seeds; nil where they change nothing.
    package let spread: Double?
    /// Whether some seed left the question unanswered; nil if none did.
    package let isOftenSilent: Bool?

    private enum CodingKeys: String, CodingKey {
      case low, high, spread
      case isOftenSilent = "silent"
    }

    package init(low: Double, high: Double, spread: Double? = nil, isOftenSilent: Bool? = nil) {
      self.low = low
      self.high = high
      self.spread = spread
      self.isOftenSilent = isOftenSilent
    }
  }

  /// The kernels that a blessed run used.
  package struct Machine: Codable, Equatable, Sendable, CustomStringConvertible {
    package let openBLASCore: String
    package let kernels: String

    init(_ trial: Trial) {
      openBLASCore = trial.versions.openBLASCore
      kernels = trial.versions.kernels
    }

    package var description: String { "\(openBLASCore)/\(kernels)" }
  }

  /// What is expected, by question.
  package typealias Figures = [String: Expectation]

  /// The layout of the file.
  static let version = 2

  let version: Int
  /// A digest of all that stands below it: the file is not written by hand.
  let digest: String
  package let tier: Tier
  /// How many method seeds the scores are means of, on each machine.
  package let methodSeeds: Int
  package let machines: [Machine]
  /// The plants that were installed, and the null pairs, each with its seeds: what a run has to have.
  package let plants, nulls: [String]
  /// By cell, whatever its method seed.
  package let cells: [String: Figures]
  /// By method at its level of access: means over families, and of *whether* the AUROC of planted against all null pairs.
  ///
  /// A method that answers nothing stands here too, without a figure.
  package let methods: [String: Figures]

  init(
    tier: Tier, methodSeeds: Int, machines: [Machine], plants: [String], nulls: [String],
    cells: [String: Figures], methods: [String: Figures]
  ) {
    version = Self.version
    self.tier = tier
    self.methodSeeds = methodSeeds
    self.machines = machines
    self.plants = plants
    self.nulls = nulls
    self.cells = cells
    self.methods = methods
    digest =
      LedgerText(
        tier: tier, methodSeeds: methodSeeds, machines: machines, plants: plants, nulls: nulls,
        cells: cells, methods: methods
      ).digest
  }

  /// How a pair is called here, whatever a method draws on it.
  static func name(_ trial: Trial) -> String { name(trial.cell) }
  static func name(_ cell: Cell) -> String { "\(cell.pair) \(cell.withoutMethodSeed.seeds)" }

  /// What was blessed of a cell.
  package func expectations(_ cell: Cell) -> [Question: Expectation] {
    let own = cells["\(cell.withoutMethodSeed)"]
    return Question.allCases.reduce(into: [:]) { $0[$1] = own?[$1.rawValue] }
  }

  /// The trials of pairs that were blessed: whoever drops in an organism moves no figure that was blessed without it.
  package func known(_ trials: [Trial]) -> [Trial] {
    let pairs = Set(plants + nulls)
    return trials.filter { pairs.contains(Self.name($0)) }
  }

  /// The least score at which a question counts as answered.
  ///
  /// Of *how*, the area over budgets of up to half a change: the whole change itself has a quarter.
  package static let marks: [Question: Double] = [
    .whether: 0.75, .what: 0.5, .when: 0.5, .where: 0.75, .how: 0.1,
  ]

  /// How far a score may lie outside what was blessed.
  ///
  /// From committed bases, AVX-512 and AVX2 kernels agree to 1e-5 in every score. The margins leave
  /// room for processors that were not measured: for a planted word that trades places with another.
  package static let margins: [Question: Double] = [
    .whether: 0.05, .what: 0.1, .when: 0.05, .where: 0.1, .how: 0.05,
  ]

  /// The same of a method's mean, of which one word that trades places moves little.
  package static let meanMargin = 0.03

  // MARK: Reading and writing

  /// Reads a ledger, or nothing if there is none yet.
  ///
  /// - Throws: `LedgerError` for what `assay bless` did not write.
  package static func read(_ url: URL) throws -> Ledger? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let file = url.lastPathComponent
    let tree = try JSON.parse(contentsOf: url)
    guard tree["version"] == .integer(Int64(version)) else {
      throw LedgerError(file: file, reason: "it is of another version of Assay")
    }
    let own = try JSON.decode(Ledger.self, contentsOf: url)
    try own.check(file: file)
    return own
  }

  /// Refuses what no run would have written: a figure that there is not, or an interval that ends before it begins.
  private func check(file: String) throws {
    for (name, figures) in cells.sorted(by: { $0.key < $1.key }) {
      guard Cell(name) != nil else {
        throw LedgerError(file: file, reason: "'\(name)' is no method@access subject@regime base")
      }
      try check(figures, of: name, file: file)
    }
    for (name, figures) in methods.sorted(by: { $0.key < $1.key }) {
      try check(figures, of: name, file: file)
    }
    let written = Ledger(
      tier: tier, methodSeeds: methodSeeds, machines: machines, plants: plants, nulls: nulls,
      cells: cells, methods: methods)
    guard written.digest == digest else {
      throw LedgerError(
        file: file, reason: "its digest is not that of its lines: it was damaged, or edited by hand"
      )
    }
  }

  private func check(_ figures: Figures, of name: String, file: String) throws {
    let known = Set(Question.allCases.map(\.rawValue))
    for (question, own) in figures.sorted(by: { $0.key < $1.key }) {
      guard known.contains(question) else {
        throw LedgerError(
          file: file, reason: "'\(name)' has a figure '\(question)', which is no question")
      }
      guard own.low <= own.high else {
        throw LedgerError(
          file: file, reason: "'\(name)' \(question) goes from \(own.low) to \(own.high)")
      }
    }
  }

  /// Writes the ledger, its keys in order, one cell a line.
  ///
  /// - Throws: `FileError.unwritable`.
  package func write(to url: URL) throws {
    let text = LedgerText(
      tier: tier, methodSeeds: methodSeeds, machines: machines, plants: plants, nulls: nulls,
      cells: cells, methods: methods)
    try AtomicFile.write(Data(text.whole.utf8), to: url)
  }
}

/// A ledger that no run wrote.
package struct LedgerError: Error, CustomStringConvertible {
  let file, reason: String
  package var description: String { "\(file): \(reason). './assay bless' writes the file anew." }
}

/// A ledger as it is written, a cell a line.
private struct LedgerText {
  let tier: Tier
  let methodSeeds: Int
  let machines: [Ledger.Machine]
  let plants, nulls: [String]
  let cells, methods: [String: Ledger.Figures]

  var digest: String {
    var hash = ContentHash()
    hash.mix(body)
    return hash.text
  }

  var whole: String {
    """
    {
      "version": \(Ledger.version),
      "digest": "\(digest)",
    \(body)
    }

    """
  }

  private var body: String {
    let machines = machines.map {
      #"{"openBLASCore": \#(quoted($0.openBLASCore)), "kernels": \#(quoted($0.kernels))}"#
    }
    return """
        "tier": "\(tier.rawValue)",
        "methodSeeds": \(methodSeeds),
        "machines": [\(machines.joined(separator: ", "))],
        "plants": [\(plants.map(quoted).joined(separator: ", "))],
        "nulls": [\(nulls.map(quoted).joined(separator: ", "))],
        "cells": {
      \(lines(cells))
        },
        "methods": {
      \(lines(methods))
        }
      """
  }

  private func lines(_ named: [String: Ledger.Figures]) -> String {
    named.sorted { $0.key < $1.key }.map { name, figures in
      let members = figures.sorted { $0.key < $1.key }.map { "\(quoted($0)): \(text($1))" }
      return "    \(quoted(name)): {\(members.joined(separator: ", "))}"
    }.joined(separator: ",\n")
  }

  private func text(_ own: Ledger.Expectation) -> String {
    "{\"low\": \(own.low), \"high\": \(own.high)"
      + (own.spread.map { ", \"spread\": \($0)" } ?? "")
      + (own.isOftenSilent.map { ", \"silent\": \($0)" } ?? "") + "}"
  }

  private func quoted(_ text: String) -> String { JSON.text(of: .string(text)) }
}
