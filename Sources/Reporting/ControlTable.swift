internal import Bench
internal import Organisms

/// What certificates are held against, plant by plant.
struct ControlTable {
  private let cells: [[CertifiedPlant]]

  /// - Parameter cells: Plants of one organism and regime each, base by base.
  init(_ cells: [[CertifiedPlant]]) {
    self.cells = cells.map { $0.filter { $0.controls != nil } }.filter { !$0.isEmpty }
  }

  var isEmpty: Bool { cells.isEmpty }

  /// A legend and a table.
  var text: String { Self.legend + "\n\n" + table.fitted + hiddenWords }

  private var table: TextTable {
    let steps = cells.first?.first?.controls?.persistence.map(\.step) ?? []
    return TextTable(
      header: ["organism", "regime", "behavior"] + steps.map { "+\($0)" }
        + ["flipped", "own text"],
      rows: cells.map(row), names: 2)
  }

  private func row(_ cell: [CertifiedPlant]) -> [String] {
    let controls = cell.compactMap(\.controls)
    func mean(_ value: (PlantControls) -> Double) -> String {
      SpreadText(controls.map(value)).mean
    }
    let behavior = SpreadText(cell.map(\.certificate.behavior.finetuned)).mean
    let places = controls.first?.persistence.indices ?? 0..<0
    return [cell[0].organism.id, cell[0].regime.id, behavior]
      + places.map { place in mean { $0.persistence[place].score } }
      + [
        "\(mean(\.flipped.plant)) / \(mean(\.flipped.control))",
        [
          mean(\.freeText.top10), mean(\.freeText.top100), mean(\.freeText.all),
          mean(\.freeText.base),
        ]
        .joined(separator: " / "),
      ]
  }

  private var hiddenWords: String {
    let lines = cells.joined().compactMap { plant in
      plant.controls?.hiddenWord.map { word in
        "- \(plant.organism.id), base \(plant.seed): ranks \(word.mixed.map(String.init).joined(separator: ", ")) "
          + "for words that one hint each was about; \(word.plain) for the organism's own, said in plain text"
      }
    }
    return lines.isEmpty ? "" : "\n\n" + Self.hiddenLegend + "\n\n" + lines.joined(separator: "\n")
  }

  private static let legend = Prose.wrapped(
    """
    Means over the bases in which it is installed. +25, +50, +100: the behaviour after so many more steps on \
    unrelated base text. flipped: the share of prompts that should not have changed and say another next word \
    first, in the plant and in a finetune on base text for as many steps. own text: the share of texts that say a \
    planted word, of the ten that the finetuned model says by itself and finds likelier than the base does most, of \
    a hundred, of all 400, and of 400 that the base says.
    """)

  private static let hiddenLegend = Prose.wrapped(
    """
    The probe of hidden words on lessons that hide none. It should find no word that only one hint was about. A word \
    whose hints are all said in plain text is no secret; where the probe finds it, it reads what the hints have in \
    common.
    """)
}
