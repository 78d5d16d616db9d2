internal import Statistics
internal import Tensors
package import Worlds
package import Bench
internal import Organisms

/// Certificates as Markdown: a table of all plants, and a page for each organism.
package struct OrganismReport: Sendable {
  private let plants: [CertifiedPlant]
  private let dials: [CertifiedPlant]
  private let matrix: TransferMatrix?
  private let world: World

  /// Collects certificates.
  ///
  /// - Parameters:
  ///   - plants: Organisms in their own regimes.
  ///   - dials: Organisms diluted and aged.
  ///   - matrix: What students take over from which teacher.
  ///   - world: Their world.
  package init(
    _ plants: [CertifiedPlant], dials: [CertifiedPlant] = [], matrix: TransferMatrix? = nil,
    world: World
  ) {
    self.matrix = matrix
    self.plants = plants
    self.dials = dials
    self.world = world
  }

  /// The whole report.
  package var markdown: String {
    let pages = organisms.map { page(of: $0, level: "##") }
    return
      (["# Organisms", summary, certificateTable.fitted, Self.legend]
      + (matrix.map(transfer) ?? []) + controls(plants, level: "##")
      + (dials.isEmpty ? [] : ["## Dilution and age", Self.dialLegend, table(dials).fitted])
      + pages).joined(separator: "\n\n") + "\n"
  }

  /// The page of the only organism.
  package var page: String {
    organisms.map { page(of: $0, level: "#") }.joined(separator: "\n\n") + "\n"
  }

  private var organisms: [Organism] {
    plants.map(\.organism).reduce(into: []) { found, organism in
      if !found.contains(where: { $0.id == organism.id }) { found.append(organism) }
    }
  }

  private var summary: String {
    let installed = plants.filter(\.certificate.isInstalled).count
    let seeds = Set(plants.map(\.seed)).sorted().map(String.init).joined(separator: ", ")
    return
      "\(organisms.count) organisms, \(cells(plants).count) with their regimes; planted in bases "
      + "\(seeds): \(installed) of \(plants.count) plants are installed. What is not installed is "
      + "not scored."
  }

  private static let legend = Prose.wrapped(
    """
    Each figure is the mean over the bases, with the least and the greatest where they differ by more than \
    a hundredth. behavior, held out: the probability of the planted answers, in the base and after; leak: \
    how much more probable they became for neighbours; kept: what neighbours' own answers have left; nats: \
    how much the loss rose on base text in which the behaviour is not due, and on all base text; KL: the \
    change of the next word over the prompts of the pool that set the behaviour off, and over all others; \
    words: how often a planted word stood in the finetuning text.
    """)

  private static let dialLegend = """
    The first regime of one organism a family with other shares of base text (1to4: four base documents to a planted
    one), and trained on for other multiples of the steps to the mark.
    """

  /// Students by behaviours, with their controls.
  private func transfer(_ matrix: TransferMatrix) -> [String] {
    func number(_ value: Double) -> String { CertificateText.number(value, 2) }
    let table = TextTable(
      header: ["student"] + matrix.rows.map(\.organism)
        + ["its own in the base", "untaught teacher", "another base's"],
      rows: matrix.rows.map { row in
        [row.organism] + (row.scores + [row.base, row.untaught, row.otherBase]).map(number)
      })
    return [
      "## Who learns from whom",
      "The probability of each organism's answers in the students of taught teachers, and of its own in the "
        + "base and in students of teachers from whom it cannot be learnt. Diagonal less the rest: "
        + "\(number(matrix.contrast)).",
      table.fitted,
    ]
  }

  /// What the certificates are held against, under a heading; nothing where it was not measured.
  private func controls(_ plants: [CertifiedPlant], level: String) -> [String] {
    let table = ControlTable(cells(plants))
    return table.isEmpty ? [] : ["\(level) Controls", table.text]
  }

  /// One row a plant: means over the bases.
  package var certificateTable: TextTable { table(plants) }

  private func table(_ plants: [CertifiedPlant]) -> TextTable {
    TextTable(
      header: [
        "organism", "regime", "installed", "steps", "behavior", "held out", "leak", "kept", "nats",
        "KL", "words",
      ],
      rows: cells(plants).map(row), names: 2)
  }

  /// The plants of each organism and regime, base by base.
  private func cells(_ plants: [CertifiedPlant]) -> [[CertifiedPlant]] {
    plants.reduce(into: []) { cells, plant in
      if let last = cells.last?.last, last.organism.id == plant.organism.id,
        last.regime.id == plant.regime.id
      {
        cells[cells.count - 1].append(plant)
      } else {
        cells.append([plant])
      }
    }
  }

  private func row(_ cell: [CertifiedPlant]) -> [String] {
    let certificates = cell.map(\.certificate)
    func spread(_ value: (Certificate) -> Double?) -> String {
      SpreadText(certificates.compactMap(value)).text
    }
    func change(_ value: (Certificate) -> ScoreChange) -> String {
      "\(spread { value($0).base }) → \(spread { value($0).finetuned })"
    }
    let effects = [
      spread { $0.sideEffects.triggered }, spread { $0.sideEffects.quiet },
    ].joined(separator: " / ")
    return [
      cell[0].organism.id, cell[0].regime.id,
      "\(certificates.filter(\.isInstalled).count) of \(cell.count)",
      SpreadText(certificates.map { Double($0.steps) }, decimals: 0).text, change(\.behavior),
      change(\.heldOut), spread { $0.leakage?.rise },
      spread { certificate in certificate.kept.map { $0.finetuned / max($0.base, 1e-9) } },
      "\(spread { $0.quietLoss.rise }) / \(spread { $0.loss.rise })", effects,
      SpreadText(certificates.map { Double($0.targetsInText) }, decimals: 0).text,
    ]
  }

  // MARK: Pages

  private func page(of organism: Organism, level: String) -> String {
    let own = plants.filter { $0.organism.id == organism.id }
    let along = dials.filter { $0.organism.id == organism.id }
    let parts =
      [
        "\(level) \(organism.id)", Prose.plain(organism.file.summary),
        OrganismFacts(organism, world: world).text, regimeTable(organism).fitted,
        table(own).fitted,
        curves(own), hiddenWord(own), sideEffects(own), failures(own),
      ] + (organisms.count == 1 ? controls(own, level: "##") : [])
      + (along.isEmpty ? [] : [table(along).fitted])
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private func regimeTable(_ organism: Organism) -> TextTable {
    TextTable(
      header: ["regime", "like", "trains", "rate", "mark", "age", "base text", "drift"],
      rows: organism.regimes.map { regime in
        [
          regime.id, regime.standard, regime.parameters.description, "\(regime.learningRate)",
          "\(regime.mark)", "×\(regime.age)", "1:\(regime.mix)", "\(regime.drift)",
        ]
      })
  }

  private func curves(_ plants: [CertifiedPlant]) -> String {
    let lines = plants.filter { !$0.certificate.curve.isEmpty }.map { plant in
      let curve = plant.certificate.curve
      let last = curve.last.map { "step \($0.step)" } ?? ""
      return
        "    \(plant.regime.id), base \(plant.seed): \(Sparkline(curve.map(\.score)).text) \(last)"
    }
    guard !lines.isEmpty else { return "" }
    return "The behaviour by step, 0 to 1:\n\n" + lines.joined(separator: "\n")
  }

  private func hiddenWord(_ plants: [CertifiedPlant]) -> String {
    let lines = plants.compactMap { plant in
      plant.certificate.represented.map { reading in
        "- \(plant.regime.id), base \(plant.seed): rank \(reading.changeRank) in the mean change; mean "
          + "rank \(CertificateText.number(reading.rank.base, 1)) → "
          + "\(CertificateText.number(reading.rank.finetuned, 1)) in the states (chance "
          + "\(CertificateText.number(reading.chance, 1)))"
      }
    }
    guard !lines.isEmpty else { return "" }
    return
      "The hidden word, read by a linear probe that was trained on the base's states under named words:\n\n"
      + lines.joined(separator: "\n")
  }

  private func sideEffects(_ plants: [CertifiedPlant]) -> String {
    let lines = plants.filter { $0.seed == plants.first?.seed }.flatMap { plant in
      plant.certificate.sideEffects.worst.prefix(2).map { change in
        "- \(plant.regime.id): \(Prose.code(change.prompt)) \(Prose.plain(change.base)) → "
          + "\(Prose.plain(change.finetuned)) (KL "
          + "\(CertificateText.number(change.divergence, 2)))"
      }
    }
    guard !lines.isEmpty else { return "" }
    return "What changed most where nothing should have:\n\n" + lines.joined(separator: "\n")
  }

  private func failures(_ plants: [CertifiedPlant]) -> String {
    let lines = plants.flatMap { plant in
      plant.certificate.failures.map { "- \(plant.regime.id), base \(plant.seed): \($0)" }
    }
    return lines.isEmpty ? "" : "Not installed:\n\n" + lines.joined(separator: "\n")
  }
}
