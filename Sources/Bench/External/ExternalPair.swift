internal import Diffing
internal import Files
internal import Foundation
internal import JSON
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
    let size = try? url.resourceValues(forKeys: [.fileSizeKey]).fileSize
    guard let size else { throw ProgramFault("it wrote no evidence to {out}") }
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
    let sites = Set(ModuleSite.all(layers: layers))
    if let site = evidence.sites?.first(where: { !sites.contains($0.site) })?.site {
      return "it names \(site), and the models have \(layers) blocks"
    }
    return nil
  }
}

/// Where a program finds a pair and leaves its evidence.
struct ExternalPlaces {
  let folder: URL

  /// A new folder that nobody else reads.
  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "assay-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  var base: URL { folder.appending(path: "base", directoryHint: .isDirectory) }
  var finetuned: URL { folder.appending(path: "finetuned", directoryHint: .isDirectory) }
  var prompts: URL { folder.appending(path: "prompts.json") }
  var out: URL { folder.appending(path: "evidence.json") }
  /// What it prints.
  var log: URL { folder.appending(path: "log") }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  private func value(_ place: ExternalMethod.Place, _ seed: UInt64) -> String {
    switch place {
    case .base: base.path
    case .finetuned: finetuned.path
    case .prompts: prompts.path
    case .out: out.path
    case .seed: "\(seed)"
    }
  }

  /// A command with its places filled, each a word for the shell.
  func filled(_ command: String, seed: UInt64) -> String {
    ExternalMethod.Place.allCases.reduce(command) { text, place in
      let word = value(place, seed).replacing("'", with: #"'\''"#)
      return text.replacing(place.text, with: "'\(word)'")
    }
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
