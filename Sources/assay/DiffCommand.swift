import Methods
import Worlds
import ArgumentParser
import Bench
import Dashboard
import Diffing
import Files
import Foundation
import JSON
import Organisms
import Reporting
import Tensors
import Transformers

struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compares two model folders by one method or by all, and prints what it claims.",
    discussion: """
      Two folders, or one that holds 'base' and 'finetuned', as 'plant' writes it. Methods that read text get the \
      world's, if the models' tokenizer is the world's, or sentences and questions that come with Assay, or yours \
      (--text, --prompts). Models that know a chat of a kind that is known get prompts as such.
      """)

  @OptionGroup var options: ProjectOptions

  @OptionGroup var pair: PairOptions

  @Option(name: .customLong("method"), help: "The method; may be repeated. All if not given.")
  var methods: [String] = []

  @Option(
    name: .customLong("set"),
    help:
      "A parameter of a method, as METHOD.PARAMETER=VALUE; may be repeated. 'assay list methods METHOD' shows them."
  )
  var settings: [String] = []

  @Option(
    name: .customLong("access"),
    help:
      "What methods may look at: weights, unrelated, pool or sampling; may be repeated. All if not given.",
    transform: Self.level
  )
  var levels: [AccessLevel] = []

  @Option(help: "How many claims of each kind to print.")
  var top = 10

  @Flag(help: "Prints the evidence as JSON, one method a line.")
  var json = false

  @Flag(help: "Prints what each method saw: maps, curves, spectra, tables.")
  var exhibits = false

  @Option(
    help:
      "Writes a page for a browser: what each method said and saw, and both models on the prompts where they differ most."
  )
  var html: String?

  @Flag(help: "Prints what each method cost: tokens, seconds, memory.")
  var cost = false

  @Flag(
    help:
      "Compares the weights alone, tensor by tensor as they are stored, whatever the architecture; of large files little is in memory."
  )
  var weights = false

  @OptionGroup var itda: ITDAOptions
  @OptionGroup var endpoints: EndpointOptions

  private static func level(_ name: String) throws -> AccessLevel {
    guard let level = AccessLevel(rawValue: name) else {
      let names = AccessLevel.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("'\(name)' is no level of access; these are: \(names).")
    }
    return level
  }

  func validate() throws {
    guard top > 0 else { throw ValidationError("--top should be at least 1.") }
    guard pair.base != nil || endpoints.isGiven else {
      throw ValidationError("Name two folders, or two endpoints.")
    }
    try itda.check(self)
    try endpoints.check(self)
    let isPlain =
      methods.isEmpty && settings.isEmpty && levels.isEmpty && pair.nulls.isEmpty
      && pair.calibrate == 0
      && pair.text == nil && pair.prompts == nil && html == nil
    guard
      !weights
        || isPlain && pair.finetuned != nil && !(exhibits || cost || pair.plain || pair.insist)
    else {
      throw ValidationError(
        "--weights takes two folders, --json and --top: no model is built, so there is nothing to ask it."
      )
    }
  }

  func run() throws {
    let chosen = try MethodSetting.apply(
      settings.map { try MethodSetting($0) }, to: Methods.chosen(methods))
    if !settings.isEmpty {
      Notice.standardError("Reports are of methods as they come; parameters are set here.")
    }
    if endpoints.isGiven { return try endpoints.run(self, chosen) }
    if weights { return try compareWeights() }
    if itda.isGiven { return try itda.run(self) }
    guard let models = try models() else { return try compareWeights() }
    try compare(models, by: chosen)
  }

  /// The two models; nil if only weights can be compared, and nobody asked for more.
  private func models() throws -> PairFolders? {
    do {
      return try pair.models()
    } catch let error as CheckpointError
      where error.leavesWeights && methods.isEmpty && settings.isEmpty && pair.finetuned != nil
    {
      Notice.standardError("\(error) The weights alone are compared.")
      return nil
    }
  }

  /// Compares weights that no model is built of.
  private func compareWeights() throws {
    guard let finetuned = pair.finetuned else { return }
    let progress = CountProgress("compared")
    let comparison = try WeightComparison(
      URL(filePath: pair.baseFolder), URL(filePath: finetuned), progress: progress.show)
    progress.finish()
    guard !json else { return Console.showJSON(try JSON.encode(comparison)) }
    Console.show(WeightComparisonText(comparison, top: top).text)
  }

  private func compare(_ models: PairFolders, by chosen: [any DiffingMethod]) throws {
    models.notices.forEach(Notice.standardError)
    if let html { try AtomicFile.check(URL(filePath: html), replacing: Page.start) }
    var run = DiffRun(self, models, try pair.source(options, models), chosen)
    try pair.forEachNull(options, models) { try run.calibrate(on: $0, named: $1) }
    try run.compare()
    if let html, let page = run.page {
      try write(page, of: models, on: run.prompts, to: html)
    }
    if cost { Console.show(run.costs.text) }
    // One method's failure is its own; the caller learns of it all the same.
    if run.answers + run.failures == 0 {
      Notice.error("No method that was chosen works at a level that was chosen.")
    }
    if run.failures > 0 { throw ExitCode(run.answers > 0 ? 1 : 2) }
  }

  /// Writes the page, both models on the prompts where they differ most included.
  private func write(
    _ page: PairPage, of models: PairFolders, on text: TokenBatch?, to path: String
  )
    throws
  {
    var page = page
    if let text {
      let rows = (0..<text.rows).map { Array(text.row($0)) }
      page.add(SideBySide(models.base, models.finetuned, on: rows))
    }
    try AtomicFile.write(Data(page.html().utf8), to: URL(filePath: path))
    if !json { Console.show("Wrote \(path).") }
  }
}
