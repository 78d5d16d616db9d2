internal import Diffing
internal import Files
internal import Foundation
internal import JSON
internal import Tensors
internal import Transformers
internal import Worlds

/// A pair as a program is given it: nothing but the models, their tokenizer and prompts, under names that are the same
/// for every pair.
struct ExternalPair {
  let base, finetuned: any LanguageModel
  let world: World
  let prompts: PromptSet
  let seed: UInt64

  /// Whether both models have the same weights: then there is nothing to find, and no program is asked.
  ///
  /// What one of them reads first, unseen, is in no folder.
  var isSame: Bool { base.parameters == finetuned.parameters }

  /// Writes the models and the prompts.
  ///
  /// - Throws: `FileError.unwritable`.
  func write(to places: ExternalPlaces) throws {
    for (model, place) in [(base, places.base), (finetuned, places.finetuned)] {
      try PairStore.write(model, of: world, to: place)
    }
    let text = try JSON.encode(WrittenPrompts(prompts), layout: .pretty) + "\n"
    try AtomicFile.write(Data(text.utf8), to: places.prompts)
  }

  /// Reads what a program wrote.
  ///
  /// - Throws: `ProgramFault` if there is nothing, too much, or something else than evidence on this pair.
  func evidence(at url: URL) throws -> Evidence {
    guard let facts = try? FileManager.default.attributesOfItem(atPath: url.path) else {
      throw ProgramFault("it wrote no evidence to {out}")
    }
    guard facts[.type] as? FileAttributeType == .typeRegular, let size = facts[.size] as? Int else {
      throw ProgramFault("{out} is no file")
    }
    guard size <= Self.longest else {
      throw ProgramFault("its evidence has \(size) bytes, more than \(Self.longest)")
    }
    let evidence: Evidence
    do {
      evidence = try JSON.decode(
        Evidence.self, from: Data(contentsOf: url), file: "its evidence")
    } catch {
      throw ProgramFault("\(error)")
    }
    if let fault = fault(of: evidence) { throw ProgramFault("its evidence is wrong: \(fault)") }
    return evidence
  }

  /// Bytes that evidence may have.
  private static let longest = 256 << 20

  private func fault(of evidence: Evidence) -> String? {
    let layers = base.shape.layers
    if let fault = evidence.fault(vocabulary: base.shape.vocabulary) { return fault }
    if let row = evidence.inputs?.first(where: { $0.row >= prompts.text.rows })?.row {
      return "it names row \(row) of \(prompts.text.rows) rows of text"
    }
    if evidence.inputs != nil, prompts.access != .pool {
      return "it ranks prompts, which only the pool has"
    }
    if let fault = (evidence.interventions ?? []).lazy.compactMap({ $0.fault(in: base) }).first {
      return fault
    }
    let sites = Set(ModuleSite.all(layers: layers))
    if let site = evidence.sites?.first(where: { !sites.contains($0.site) })?.site {
      return "it names \(site), and the models have \(layers) blocks"
    }
    return nil
  }
}

extension ProposedIntervention {
  /// Why it is none of a model's; nil if it is one.
  fileprivate func fault(in model: any LanguageModel) -> String? {
    let shape = model.shape
    switch self {
    case .steer(let layer, let direction), .project(let layer, let direction):
      guard (0..<shape.layers).contains(layer) else {
        return "an intervention is after block \(layer) of \(shape.layers)"
      }
      return direction.count == shape.width
        ? nil : "a direction has \(direction.count) numbers, the stream \(shape.width)"
    case .patch(let module):
      return ModuleSite.all(layers: shape.layers).contains(module)
        ? nil : "an intervention patches \(module), and the models have \(shape.layers) blocks"
    case .weights(let edits):
      return edits.lazy.compactMap { $0.fault(in: model.parameters.layout) }.first
    }
  }
}

extension TensorEdit {
  /// Why it fits no tensor; nil if it fits one.
  fileprivate func fault(in layout: ParameterLayout) -> String? {
    guard let entry = layout.find(name) else { return "the models have no tensor '\(name)'" }
    let fits =
      switch change {
      case .ofFinetune: true
      case .lowRank(let left, let right): [left.rows, right.columns] == entry.matrixShape
      case .sparse(let indices, _): indices.allSatisfy((0..<entry.count).contains)
      case .dense(let values): values.count == entry.count
      }
    return fits ? nil : "an edit of '\(name)' does not fit its shape, \(entry.shape)"
  }
}

/// Where a program finds a pair and leaves its evidence.
struct ExternalPlaces {
  private let scratch: ScratchFolder
  var folder: URL { scratch.url }

  /// A new folder that nobody else reads.
  init() throws {
    scratch = try ScratchFolder(in: Self.parent.appending(path: "assay-programs-\(getuid())"))
  }

  /// The system's folder for what is temporary; where its name would need quotes in a shell, `/tmp`.
  private static var parent: URL {
    let usual = FileManager.default.temporaryDirectory
    return usual.path.wholeMatch(of: /[A-Za-z0-9\/._+-]+/) != nil ? usual : URL(filePath: "/tmp")
  }

  var base: URL { folder.appending(path: "base", directoryHint: .isDirectory) }
  var finetuned: URL { folder.appending(path: "finetuned", directoryHint: .isDirectory) }
  var prompts: URL { folder.appending(path: "prompts.json") }
  var out: URL { folder.appending(path: "evidence.json") }

  func remove() { scratch.remove() }

  private func value(_ place: ExternalMethod.Place, _ seed: UInt64) -> String {
    switch place {
    case .base: base.path
    case .finetuned: finetuned.path
    case .prompts: prompts.path
    case .out: out.path
    case .seed: "\(seed)"
    }
  }

  /// A command with its places filled: no path has anything that a shell would take for more than a word.
  func filled(_ command: String, seed: UInt64) -> String {
    ExternalMethod.Place.allCases.reduce(command) { $0.replacing($1.text, with: value($1, seed)) }
  }

  /// The same for a program that stays up, as JSON.
  func request(seed: UInt64) throws -> String {
    try JSON.encode(
      ExternalRequest(
        base: base.path, finetuned: finetuned.path, prompts: prompts.path, out: out.path,
        seed: seed))
  }
}

/// What a program that stays up is asked.
private struct ExternalRequest: Codable {
  let base, finetuned, prompts, out: String
  let seed: UInt64
}

/// What one that stays up answers: that its evidence is written, or why not.
struct ProgramReply: Codable {
  private let done: Bool?
  private let error: String?

  /// Reads a line of its output.
  ///
  /// - Throws: `ProgramFault` if it says that it failed, or nothing that is an answer.
  static func check(_ line: Data) throws {
    guard
      let reply = try? JSON.decode(ProgramReply.self, from: line, file: "an answer"),
      reply.error != nil || reply.done == true
    else {
      let text = String(decoding: line.prefix(200), as: UTF8.self)
      throw ProgramFault(#"it answered '\#(text)' instead of {"done": true} or {"error": "..."}"#)
    }
    if let error = reply.error { throw ProgramFault("it says: \(error.prefix(500))") }
  }
}

/// Prompts as a program reads them.
private struct WrittenPrompts: Codable {
  let access: AccessLevel
  /// Rows of token ids: running text, or the prompts of the pool.
  let text: [[Int]]
  /// Ordinary text beside a pool.
  let reference: [[Int]]
  let documentStart: Int?
  /// Tokens that no ranking should name.
  let specialTokens: [Int]

  init(_ prompts: PromptSet) {
    func rows(_ text: TokenBatch) -> [[Int]] { (0..<text.rows).map { Array(text.row($0)) } }
    access = prompts.access
    text = rows(prompts.text)
    reference = rows(prompts.reference)
    documentStart = prompts.documentStart
    specialTokens = prompts.specialTokens.sorted()
  }
}
