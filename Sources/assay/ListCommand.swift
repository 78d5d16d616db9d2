internal import Organisms
import ArgumentParser
import Bench
import Diffing
import Foundation

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists what there is.",
    subcommands: [Organisms.self, MethodsList.self])

  struct Organisms: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "organisms", abstract: "Lists the organisms and their regimes.")

    @OptionGroup var options: ProjectOptions

    func run() throws {
      let library = try options.project.library()
      for organism in library.organisms {
        let regimes = organism.regimes.map(\.id).joined(separator: ", ")
        print("\(column(organism.id, 20))\(column(regimes, 28))\(organism.file.summary)")
      }
      guard let failure = library.failures.first else { return }
      throw failure.error
    }
  }

  struct MethodsList: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "methods", abstract: "Lists the methods and what they answer.")

    func run() {
      for method in Methods.all {
        let card = method.card
        let questions = card.questions.map(\.rawValue).joined(separator: ", ")
        let access = card.access.map(\.rawValue).joined(separator: ", ")
        print("\(column(card.id, 28))\(column(access, 18))\(column(questions, 32))\(card.summary)")
      }
    }
  }
}

/// Text padded to a column, always followed by a space.
func column(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(1, width - text.count))
}
