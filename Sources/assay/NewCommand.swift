import JSON
import Files
import Worlds
import ArgumentParser
import Bench
import Foundation
import Organisms
import Reporting
import Transformers

struct NewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Writes a file to start from.", subcommands: [NewOrganism.self])

  struct NewOrganism: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "organism",
      abstract: "Writes an organism that runs as it is, for you to change.",
      discussion: """
        The file plants a false fact of the world. Organisms/organism.schema.json explains every key, and \
        editors complete them from it.
        """)

    @OptionGroup var options: ProjectOptions

    @Argument(help: "Its name: lowercase letters, digits and hyphens.")
    var id: String

    func run() throws {
      let world = try options.project.library().world
      let url = options.project.organisms.appending(path: "\(id).json")
      guard !RegularFile.isThere(url) else {
        throw DefinitionError.invalid(
          file: url.lastPathComponent, path: "id", reason: "is taken: the file exists already")
      }
      let text = try OrganismStarter(world).text(id: id)
      // Nothing is written that could not be read.
      _ = try OrganismSource(text: text, name: "\(id).json").organism(
        DrawSeeds(base: 0), world: world)
      try AtomicFile.write(Data(text.utf8), to: url)
      for (key, meaning) in OrganismStarter.keys {
        Console.show(
          Prose.wrapped(
            column(key, 18) + meaning, indent: String(repeating: " ", count: 18), keepsLayout: true)
        )
      }
      Console.show("Wrote \(url.path). './assay plant \(id)\(options.suffix)' plants it.")
    }
  }
}
