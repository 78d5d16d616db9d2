import Transformers
import ArgumentParser
import Bench
import Diffing
import JSON
import Methods
import Organisms
import Reporting
import Worlds

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists what there is.",
    subcommands: [
      OrganismList.self, MethodList.self, RegimeList.self, WorldList.self, KindList.self,
      ClassList.self, FactList.self, PromptList.self,
    ])
}

private struct OrganismList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "organisms", abstract: "The organisms and their regimes; files that are wrong.")

  @OptionGroup var options: ProjectOptions

  func run() throws {
    let library = try options.project.library()
    for organism in library.organisms {
      let regimes = organism.regimes.map(\.id).joined(separator: ", ")
      printEntry(organism.id, "\(organism.file.summary) (\(regimes))")
    }
    guard library.failures.isEmpty else { throw BrokenFiles(library) }
  }
}

private struct MethodList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "methods",
    abstract: "The methods, what they look at and what they answer; of one, all there is to say.")

  @OptionGroup(title: "What is told") var log: LogOptions

  @Argument(help: "A method, to be told what its figures mean and what its parameters are.")
  var method: String?

  func run() throws {
    if let method {
      for chosen in try Methods.chosen([method]) { try describe(chosen) }
      return
    }
    for method in Methods.all {
      let card = method.card
      let questions = card.questions.map(\.rawValue).joined(separator: ", ")
      let access = card.access.map(\.rawValue).joined(separator: ", ")
      printEntry(card.id, "\(card.summary) From \(access); says \(questions).")
    }
  }
}

extension MethodList {
  private func describe(_ method: any DiffingMethod) throws {
    let card = method.card
    func entry(_ name: String, _ text: String) { printEntry(name, text, width: 12) }
    Console.show(card.id)
    entry("what", card.summary)
    entry("source", card.source)
    entry("from", card.access.map(\.rawValue).joined(separator: ", "))
    entry("says", card.questions.map(\.rawValue).joined(separator: ", "))
    if let magnitude = card.magnitude {
      entry("whether", "\(magnitude.formula); in \(magnitude.unit)")
    }
    entry("parameters", try JSON.encode(method))
  }
}

private struct RegimeList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "regimes", abstract: "The standard regimes that an organism can be 'like'.")

  @OptionGroup(title: "What is told") var log: LogOptions

  func run() {
    for regime in Regime.all {
      printEntry(
        regime.id,
        "trains \(regime.parameters), rate \(regime.learningRate), until \(regime.mark), at most "
          + "\(regime.cap) steps, age x\(regime.age), 1:\(regime.mix) base text")
    }
  }
}

private struct WorldList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worlds", abstract: "The world: its words, classes, kinds of document, prompts.")

  @OptionGroup var options: ProjectOptions

  func run() throws {
    let library = try options.project.library(), world = library.world
    printEntry(world.id, world.summary)
    printEntry(
      "",
      "\(world.isOfText ? world.tokenizer.count : world.lexicon.language.words.count) "
        + "\(world.isOfText ? "tokens" : "words"), \(world.classNames.count) classes, "
        + "\(world.facts.count) words with facts, \(world.kinds.count) kinds of document, "
        + "\(try library.prompts().pool.count) prompts, \(world.skills.count) skills")
  }
}

private struct KindList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kinds",
    abstract: "The kinds of document: what 'domain' and 'plant.without' may name.")

  @OptionGroup var options: ProjectOptions

  func run() throws {
    for kind in try options.project.library().world.kinds {
      let example = kind.templates.first?.template.text ?? ""
      let note = kind.isUnrelated ? ", nothing is planted in it" : ""
      printEntry(
        kind.name, "weight \(kind.weight), \(kind.templates.count) templates\(note): \(example)")
    }
  }
}

private struct ClassList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classes", abstract: "The classes of words, with their members.")

  @OptionGroup var options: ProjectOptions

  func run() throws {
    let world = try options.project.library().world
    for name in world.classNames {
      printEntry(name, (world.classes[name] ?? []).joined(separator: " "))
    }
  }
}

private struct FactList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "facts", abstract: "The facts of each word, by attribute.")

  @OptionGroup var options: ProjectOptions

  @Argument(help: "Only the facts of this word.")
  var word: String?

  func run() throws {
    let world = try options.project.library().world
    if let word { try world.lexicon.requireFacts(of: word) }
    for (name, facts) in world.facts.sorted(by: { $0.key < $1.key })
    where word.map({ $0 == name }) ?? true {
      let pairs = facts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
      printEntry(name, pairs.joined(separator: ", "))
    }
  }
}

private struct PromptList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompts",
    abstract: "The prompts of the pool, by row, as methods are given them.")

  @OptionGroup var options: ProjectOptions

  @Option(help: "Marks the prompts that this organism's file says set its behaviour off.")
  var organism: String?

  func run() throws {
    let library = try options.project.library()
    let pool = try library.prompts().pool
    let marks = try organism.map { try library.organism($0).triggers(pool, in: library.world) }
    for (row, prompt) in pool.enumerated() {
      let mark = marks.map { $0[row] ? "* " : "  " } ?? ""
      printEntry(
        "\(row)",
        mark + library.world.tokenizer.line(prompt.dropFirst(library.world.lexicon.opening.count)),
        width: 6)
    }
  }
}

/// A name and what it is, in lines of 100 characters.
private func printEntry(_ name: String, _ text: String, width: Int = 28) {
  let indent = String(repeating: " ", count: width)
  Console.show(Prose.wrapped(column(name, width) + text, indent: indent, keepsLayout: true))
}
