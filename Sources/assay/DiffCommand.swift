import ArgumentParser
import Bench
import Diffing
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
      Methods that read text need some: the world's, if the models' tokenizer is the world's, or \
      yours (--text), one row of token ids or words a line.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "The base's folder.")
  var base: String

  @Argument(help: "The finetuned model's folder, or that of a PEFT adapter for the base.")
  var finetuned: String

  @Option(name: .customLong("method"), help: "The method; may be repeated. All if not given.")
  var methods: [String] = []

  @Option(help: "A file with a row of text a line, in words of the tokenizer or in token ids.")
  var text: String?

  @Option(help: "Decides what is random.")
  var seed: UInt64 = 0

  @Option(help: "How many claims of each kind to print.")
  var top = 10

  @Flag(help: "Prints the evidence as JSON, one method a line.")
  var json = false

  @Flag(help: "Prints what each method saw: maps, curves, spectra, tables.")
  var exhibits = false

  @Flag(help: "Prints what each method cost: tokens, seconds, memory.")
  var cost = false

  func validate() throws {
    guard top > 0 else { throw ValidationError("--top should be at least 1.") }
  }

  func run() throws {
    let chosen =
      methods.isEmpty ? Methods.all.map { $0.init() } : try methods.map { try Methods.named($0) }
    let models = try PairFolders(base: base, finetuned: finetuned)
    let pair = try ModelPair(
      base: models.base, finetuned: models.finetuned, showsExhibits: exhibits || json)
    let source = try TextSource(options.project, tokenizer: models.tokenizer, file: text)
    var costs = TextTable(header: CostLine.header)
    for method in chosen {
      for access in method.card.access {
        guard let prompts = source.prompts(access) else {
          FileHandle.standardError.write(
            Data("\(method.card.id) (\(access.rawValue)): skipped, it needs --text.\n".utf8))
          continue
        }
        var generator = SeededGenerator(seed: seed, for: "\(method.card.id) \(access.rawValue)")
        let start = Date()
        let (evidence, work) = try pair.measuring {
          try method.evidence(for: pair, on: prompts, using: &generator)
        }
        let line = CostLine(method.card.id, access, work, seconds: Date().timeIntervalSince(start))
        costs.rows.append(line.cells)
        try show(evidence, method.card, access, models.tokenizer, prompts)
      }
    }
    if cost { print(costs.text) }
  }

  private func show(
    _ evidence: Evidence, _ card: MethodCard, _ access: AccessLevel, _ tokenizer: WordTokenizer?,
    _ prompts: PromptPool
  ) throws {
    if json {
      struct Line: Encodable {
        let method: String
        let access: AccessLevel
        let evidence: Evidence
      }
      print(try JSON.encode(Line(method: card.id, access: access, evidence: evidence)))
      return
    }
    print("\(card.id) (\(access.rawValue))")
    print(EvidenceText(evidence, tokenizer: tokenizer, top: top).text)
    guard exhibits else { return }
    let text = ExhibitText(tokenizer: tokenizer, prompts: prompts.text)
    for exhibit in evidence.exhibits {
      print(text.lines(exhibit).map { "    \($0)" }.joined(separator: "\n"))
    }
  }
}

/// The two models of a comparison; of a LoRA finetune only the adapter's factors are held beside the base.
private struct PairFolders {
  let base: any LanguageModel
  let finetuned: any LanguageModel
  let tokenizer: WordTokenizer?

  init(base: String, finetuned: String) throws {
    let before = try HuggingFaceFolder.read(URL(filePath: base))
    let folder = URL(filePath: finetuned)
    self.base = before.model
    let adapter = folder.appending(path: "adapter_config.json").path
    guard FileManager.default.fileExists(atPath: adapter) else {
      let after = try HuggingFaceFolder.read(folder)
      self.finetuned = after.model
      tokenizer = before.tokenizer ?? after.tokenizer
      return
    }
    var model = before.model
    model.parameters = try PEFTAdapter.read(folder, base: model).adapted(model.parameters)
    self.finetuned = model
    tokenizer = before.tokenizer
  }
}

/// What one method cost, as if it had run alone.
private struct CostLine {
  static let header = [
    "method", "access", "tokens forward", "backward", "recorded before", "s", "peak MB",
  ]

  let cells: [String]

  init(_ id: String, _ access: AccessLevel, _ work: Work, seconds: Double) {
    cells = [
      id, access.rawValue, "\(work.tokensForward)", "\(work.tokensBackward)",
      "\(work.tokensShared)", String(format: "%.2f", seconds + work.sharedSeconds),
      "\(peakMemory() >> 20)",
    ]
  }
}

/// Where `diff` gets text from.
private struct TextSource {
  private let unrelated: [[Int]]?
  private let pool: [[Int]]?
  private let documentStart: Int
  private let specialTokens: Set<Int>

  init(_ project: Project, tokenizer: WordTokenizer?, file: String?) throws {
    documentStart = min(1, (tokenizer?.vocabulary.count ?? 2) - 1)
    specialTokens = Set(0..<(tokenizer?.specialCount ?? 0))
    if let file {
      let rows = try Self.rows(file, tokenizer)
      (unrelated, pool) = (rows, rows)
    } else if let tokenizer, FileManager.default.fileExists(atPath: project.organisms.path),
      case let world = try project.library().world, world.tokenizer == tokenizer
    {
      let prompts = try Prompts(world)
      (unrelated, pool) = (prompts.unrelated, prompts.pool)
    } else {
      (unrelated, pool) = (nil, nil)
    }
  }

  private static func rows(_ file: String, _ tokenizer: WordTokenizer?) throws -> [[Int]] {
    guard let text = try? String(contentsOf: URL(filePath: file), encoding: .utf8) else {
      throw JSONError.unreadable(file: file, reason: "no such file, or not UTF-8")
    }
    return try text.split(separator: "\n").map { line in
      let words = line.split(whereSeparator: \.isWhitespace)
      let ids = words.compactMap { Int($0) }
      if ids.count == words.count, tokenizer?.id(String(words.first ?? "")) == nil { return ids }
      guard let tokenizer else {
        throw ValidationError("\(file): the models have no tokenizer, so write token ids.")
      }
      return [1] + (try tokenizer.encode(String(line)))
    }.filter { !$0.isEmpty }
  }

  func prompts(_ access: AccessLevel) -> PromptPool? {
    let rows: [[Int]]? =
      switch access {
      case .weights, .sampling: []
      case .unrelated: unrelated
      case .pool: pool
      }
    return rows.map {
      PromptPool(
        access: access, text: TokenBatch($0),
        // One's own text serves as both, and a text is no reference for itself.
        reference: TokenBatch(access == .pool && unrelated != pool ? unrelated ?? [] : []),
        documentStart: documentStart, specialTokens: specialTokens)
    }
  }
}

/// Evidence as lines of text.
struct EvidenceText {
  let text: String

  init(_ evidence: Evidence, tokenizer: WordTokenizer?, top: Int) {
    func word(_ id: Int) -> String { tokenizer?.word(id) ?? "#\(id)" }
    var lines: [String] = []
    if evidence.isEmpty { lines.append("  nothing found") }
    if let magnitude = evidence.magnitude { lines.append("  whether: \(magnitude)") }
    if let tokens = evidence.tokens {
      for (sign, name) in [(1, "promoted"), (-1, "suppressed")] {
        let words = tokens.filter { $0.sign == sign }.prefix(top).map { word($0.token) }
        if !words.isEmpty { lines.append("  what, \(name): \(words.joined(separator: " "))") }
      }
    }
    if let inputs = evidence.inputs {
      let rows = inputs.prefix(top).map { "row \($0.row) (\($0.score))" }
      lines.append("  when: \(rows.joined(separator: ", "))")
    }
    if let sites = evidence.sites {
      let names = sites.prefix(top).map { "\($0.site) (\($0.score))" }
      lines.append("  where: \(names.joined(separator: ", "))")
    }
    if let interventions = evidence.interventions {
      lines.append("  how: \(interventions.map(Self.name).joined(separator: ", "))")
    }
    text = lines.joined(separator: "\n")
  }

  private static func name(_ intervention: ProposedIntervention) -> String {
    switch intervention {
    case .steer(let layer, let direction):
      "steer after block \(layer) by a vector of length \(Tensor(direction).norm)"
    case .project(let layer, _): "set the component along a direction after block \(layer)"
    case .patch(let module): "patch \(module.site)"
    case .weights(let changes): "change \(changes.count) tensors"
    }
  }
}
