import ArgumentParser
import Bench
import Dictionaries
import Files
import Foundation
import Transformers

struct ITDACommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "itda",
    abstract: "Dictionaries of a model's own activations.",
    subcommands: [ITDATrainCommand.self])
}

/// How text is read in parts.
struct ReadingOptions: ParsableArguments {
  @Option(
    name: .customLong("seq-len"),
    help:
      "Tokens of a sequence, at most: longer rows are read in pieces. The model's context if not given."
  )
  var sequenceLength: Int?

  @Option(help: "Sequences of a step; 32 if not given.")
  var batchSize: Int?

  @Option(help: "Steps, at most; the whole text if not given.")
  var maxSteps: Int?

  /// Whether something is not as it is by default.
  var isGiven: Bool { sequenceLength != nil || batchSize != nil || maxSteps != nil }

  func validate() throws {
    // Of one token there is only the first of a row, which counts only where it is alone.
    guard (sequenceLength ?? 2) > 1 else {
      throw ValidationError("--seq-len should be at least 2.")
    }
    guard (batchSize ?? 1) > 0 else { throw ValidationError("--batch-size should be at least 1.") }
    guard (maxSteps ?? 1) > 0 else { throw ValidationError("--max-steps should be at least 1.") }
  }

  func plan(_ model: any LanguageModel) -> ReadingPlan {
    ReadingPlan(
      sequenceLength: sequenceLength, batchSize: batchSize ?? 32, steps: maxSteps,
      context: model.shape.context)
  }
}

struct ITDATrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Makes a dictionary of a model's activations after a block, in one pass over a text.",
    discussion: """
      An activation that the atoms so far leave too much of becomes an atom, until there are enough. The folder \
      holds config.json and dictionary.safetensors; 'diff --method itda --dictionary FOLDER' compares models by it.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "A model folder.")
  var folder: String

  @Option(help: "The block after which activations are read, counted from 0.")
  var layer: Int

  @Option(
    help:
      "A file of ordinary text, a row a line, of objects with a 'text' (.jsonl), or of token ids; 'wordnet' for its glosses. The world's or what comes with Assay if not given."
  )
  var text: String?

  @Option(help: "Atoms, at most.")
  var atoms = 512

  @Option(help: "Atoms that an activation is made of, at most.")
  var sparsity = 10

  @Option(
    help:
      "What of an activation may be left over, as a share of its square, before it becomes an atom; found on a part of the text if not given."
  )
  var threshold: Float?

  @OptionGroup var reading: ReadingOptions

  @Option(help: "The folder to write.")
  var out: String

  @Flag(help: "Reads a model that fails its self-test all the same.")
  var insist = false

  func validate() throws {
    guard atoms > 0 else { throw ValidationError("--atoms should be at least 1.") }
    guard (1...atoms).contains(sparsity) else {
      throw ValidationError("--sparsity should be from 1 to the number of --atoms.")
    }
    guard threshold.map({ $0 > 0 && $0 < 1 }) ?? true else {
      throw ValidationError("--threshold should be between 0 and 1.")
    }
    // Who makes a dictionary should be able to compare by it.
    let bytes = ITDAComparison.memory(atoms: atoms)
    guard bytes < Double(Memory.available) else {
      throw ValidationError(
        "Comparing by \(atoms) atoms takes tables of \(fixed(bytes / 1e6, 0)) MB, which is more than there is; ask "
          + "for fewer --atoms.")
    }
  }

  func run() throws {
    let place = URL(filePath: out)
    try AtomicFolder.check(place, replacing: .dictionary)
    let url = URL(filePath: folder), checkpoint = try HuggingFaceFolder.read(url)
    if !insist { try SelfTest.require(checkpoint, url) }
    let model = checkpoint.model
    guard (0..<model.shape.layers).contains(layer) else {
      throw ValidationError(
        "--layer \(layer): the model's blocks are 0 to \(model.shape.layers - 1).")
    }
    let training = ITDATraining(
      model, layer: layer, rows: try TextSource.running(options.project, checkpoint, file: text),
      reading.plan(model), documentStart: checkpoint.markers.documentStart)
    let saved = try trained(training)
    guard !saved.contexts.isEmpty else {
      throw ValidationError("No activation is left over by so much; take a smaller --threshold.")
    }
    try saved.write(to: place)
    report(saved, of: training.tokens)
  }

  private func trained(_ training: ITDATraining) throws -> SavedITDA {
    guard training.tokens > 0 else {
      throw ValidationError("There is no token in the text whose activation counts.")
    }
    let progress = CountProgress("read tokens:")
    defer { progress.finish() }
    return training.run(
      ITDADictionary.Options(
        sparsity: sparsity,
        threshold: threshold ?? training.threshold(atoms: atoms, sparsity: sparsity),
        capacity: atoms),
      progress: progress.show)
  }

  private func report(_ saved: SavedITDA, of tokens: Int) {
    let (dictionary, origin) = (saved.dictionary, saved.origin)
    Console.show(
      "\(out): \(dictionary.count) atoms of block \(origin.layer), from \(origin.tokens) of \(tokens) tokens; "
        + "what a token may leave over: \(dictionary.options.threshold)")
    if 10 * origin.tokens < 9 * tokens {
      Notice.standardError(
        "The dictionary was full before the text was read to its end: a larger --threshold or more --atoms read on."
      )
    }
  }
}
