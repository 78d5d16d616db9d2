import ArgumentParser
import Bench
import Files
import Foundation
import JSON
import Reporting
import Transformers

/// What 'diff' compares models by where dictionaries are given.
struct ITDAOptions: ParsableArguments {
  @Option(
    name: .customLong("dictionary"),
    help:
      "With --method itda: a dictionary of the base that 'itda train' wrote; may be repeated. Its atoms are ordered by how much more the finetuned model uses them on the text."
  )
  var dictionaries: [String] = []

  @Option(
    help:
      "With --dictionary: a safetensors file for both models' activations, their codes and the differences."
  )
  var saveActivations: String?

  @OptionGroup var reading: ReadingOptions

  /// Whether models are compared by given dictionaries.
  var isGiven: Bool { !dictionaries.isEmpty }

  /// Refuses what does not go together.
  func check(_ command: DiffCommand) throws {
    guard isGiven else {
      guard saveActivations == nil, !reading.isGiven else {
        throw ValidationError(
          "--save-activations, --seq-len, --batch-size and --max-steps are for --dictionary.")
      }
      return
    }
    let others =
      !command.settings.isEmpty || !command.levels.isEmpty || !command.pair.nulls.isEmpty
      || command.pair.calibrate > 0
      || command.pair.prompts != nil || command.exhibits || command.cost || command.weights
      || command.pair.plain || command.html != nil
    guard command.methods == ["itda"], !others else {
      throw ValidationError(
        "--dictionary goes with --method itda alone, and with --text, --save-activations, --json, --top, --insist, "
          + "--method-seed, --seq-len, --batch-size and --max-steps."
      )
    }
  }

  /// Compares two models by the dictionaries.
  func run(_ command: DiffCommand) throws {
    let file = saveActivations.map { URL(filePath: $0) }
    if let file { try check(file) }
    let models = try PairFolders(
      base: URL(filePath: command.pair.baseFolder),
      finetuned: command.pair.finetuned.map { URL(filePath: $0) },
      insists: command.pair.insist)
    models.notices.forEach(Notice.standardError)
    let saved = try read(models, insists: command.pair.insist)
    let comparison = ITDAComparison(
      models.base, models.finetuned, saved,
      rows: try TextSource.running(command.options.project, models, file: command.pair.text),
      reading.plan(models.base), documentStart: models.markers.documentStart,
      seed: command.pair.methodSeed)
    guard comparison.tokens > 0 else {
      throw ValidationError("There is no token in the text whose activation counts.")
    }
    let progress = CountProgress("read tokens:")
    let results = try comparison.run(savingTo: file, progress: progress.show)
    progress.finish()
    for (result, saved) in zip(results, saved) {
      guard !command.json else {
        Console.showJSON(try JSON.encode(result))
        continue
      }
      Console.show(
        ITDAComparisonText(
          result, contexts: saved.contexts, tokenizer: models.tokenizer, top: command.top
        ).text)
    }
  }

  /// Refuses a place where something is: it could be what is being read.
  private func check(_ file: URL) throws {
    guard !RegularFile.isThere(file) else {
      throw ValidationError(
        "--save-activations \(file.path): something is there already; name a new file.")
    }
    try AtomicFile.checkPlace(file)
  }

  private func read(_ models: PairFolders, insists: Bool) throws -> [SavedITDA] {
    let saved = try dictionaries.map { name in
      let folder = URL(filePath: name), dictionary = try SavedITDA(contentsOf: folder)
      let bytes = ITDAComparison.memory(atoms: dictionary.contexts.count)
      guard bytes < Double(Memory.available) else {
        throw ValidationError(
          "\(name): tables of its \(dictionary.contexts.count) atoms need \(fixed(bytes / 1e6, 0)) MB, which is "
            + "more than there is; make one of fewer --atoms.")
      }
      try dictionary.check(models.baseAsRead, folder, insists: insists)
      return dictionary
    }
    let layers = saved.map(\.origin.layer)
    guard Set(layers).count == layers.count else {
      throw ValidationError("Two dictionaries are of one block; give one for each.")
    }
    return saved
  }
}
