package import Foundation
internal import JSON
internal import Synchronization
package import Organisms
package import Scoring
package import Transformers

/// A subject of the bench: an organism under a regime, or a null pair.
package enum Subject: Sendable {
  case organism(Organism, Regime)
  case null(NullPair)

  package var id: String {
    switch self {
    case .organism(let organism, _): organism.id
    case .null(let null): null.id
    }
  }

  package var regime: String {
    switch self {
    case .organism(_, let regime): regime.id
    case .null(let null): null.match?.regime.id ?? Self.anyRegime
    }
  }

  /// The standard regime of plants, and of the nulls that they are compared with.
  package var recipe: String {
    switch self {
    case .organism(_, let regime): regime.standard
    case .null(let null): null.match?.regime.standard ?? Self.anyRegime
    }
  }

  /// What pairs that nothing is trained in say of their regime.
  private static let anyRegime = "any"

  /// The plant that a null pair is matched with.
  package var match: String? {
    guard case .null(let null) = self, let match = null.match else { return nil }
    return "\(match.organism)@\(match.regime.id)"
  }

  package var role: PairRole {
    switch self {
    case .organism: .planted
    case .null(let null):
      switch null.breadth {
      case .broad: .broad
      case .narrow: .narrow
      case .invariant: .invariant
      }
    }
  }
}

/// Keeps planted pairs by the digest of everything that decides them.
package struct PairStore: Sendable {
  package let project: Project
  package let organisms: [Organism]
  private let sources: String
  private let locks = PairLocks()
  private let baseDigests = BaseDigests()

  package init(_ project: Project, organisms: [Organism]) {
    self.project = project
    self.organisms = organisms
    sources = SourceDigest.pairs(project)
  }

  /// The pair of a subject: cached, or made now.
  ///
  /// - Parameters:
  ///   - subject: What to plant.
  ///   - base: Where to plant it.
  ///   - progress: Told after every step of a training.
  /// - Throws: `CheckpointError`, `JSONError` or `OrganismError`.
  package func pair(
    _ subject: Subject, in base: Base, progress: (TrainingStatus) -> Void = { _ in }
  ) throws -> PlantedPair {
    if case .null(let null) = subject, null.match == nil {
      return try null.make(from: base, matching: nil, length: Self.untrained)
    }
    let folder = try self.folder(subject, in: base)
    let lock = locks.lock(folder.lastPathComponent)
    lock.lock()
    defer { lock.unlock() }
    if FileManager.default.fileExists(atPath: folder.path) { return try read(folder, base: base) }
    let pair =
      switch subject {
      case .organism(let organism, let regime):
        try Planter(base: base, organism: organism, regime: regime).plant(progress: progress)
      case .null(let null): try makeNull(null, in: base)
      }
    try write(pair, to: folder)
    return pair
  }

  /// A null pair that trains as long as the plant that it is matched with.
  private func makeNull(_ null: NullPair, in base: Base) throws -> PlantedPair {
    guard let match = null.match, let organism = organisms.first(where: { $0.id == match.organism })
    else { return try null.make(from: base, matching: nil, length: Self.untrained) }
    let plant = try pair(.organism(organism, match.regime), in: base)
    return try null.make(
      from: base, matching: organism, length: plant.certificate?.length ?? Self.untrained)
  }

  private static let untrained = Finetune.Length(steps: 1, markStep: nil)

  private func folder(_ subject: Subject, in base: Base) throws -> URL {
    let digest = try digest(subject, in: base)
    return project.cache.appending(path: "pairs/\(subject.id)-\(subject.regime)-\(digest)")
  }

  /// The digest of everything that decides a pair.
  package func digest(_ subject: Subject, in base: Base) throws -> String {
    var hash = ContentHash()
    hash.mix(sources)
    hash.mix(baseDigests.digest(base))
    hash.mix(base.world.digest)
    switch subject {
    case .organism(let organism, let regime):
      hash.mix(organism.digest)
      hash.mix(try JSON.encode(regime))
    case .null(let null):
      hash.mix(null.id)
      hash.mix("\(null.seed)")
      if let match = null.match {
        hash.mix(try JSON.encode(match.regime))
        hash.mix(organisms.first { $0.id == match.organism }?.digest ?? "")
      }
    }
    return hash.text
  }

  private func read(_ folder: URL, base: Base) throws -> PlantedPair {
    let certificateURL = folder.appending(path: "certificate.json")
    let certificate =
      FileManager.default.fileExists(atPath: certificateURL.path)
      ? try JSON.decode(Certificate.self, contentsOf: certificateURL) : nil
    let adapter = folder.appending(path: "adapter_config.json")
    if FileManager.default.fileExists(atPath: adapter.path) {
      return PlantedPair(
        base: base.model, finetuned: base.model,
        lora: try PEFTAdapter.read(folder, base: base.model), certificate: certificate)
    }
    guard let finetuned = try HuggingFaceFolder.read(folder).model as? Llama else {
      throw CheckpointError.missingFile("config.json", folder: folder.path)
    }
    let widened = finetuned.configuration.hasMLPBias && !base.model.configuration.hasMLPBias
    return PlantedPair(
      base: widened ? base.model.addingMLPBiases() : base.model, finetuned: finetuned,
      certificate: certificate)
  }

  private func write(_ pair: PlantedPair, to folder: URL) throws {
    try AtomicFolder.write(to: folder) { temporary in
      // Of a LoRA finetune the factors are kept: its base is held once.
      if let lora = pair.lora {
        try PEFTAdapter.fill(temporary, lora, base: "base")
      } else {
        try HuggingFaceFolder.fill(temporary, pair.finetuned, nil)
      }
      try Self.writeCertificate(of: pair, to: temporary)
    }
  }

  private static func writeCertificate(of pair: PlantedPair, to folder: URL) throws {
    guard let certificate = pair.certificate else { return }
    let text = try JSON.encode(certificate, layout: .pretty) + "\n"
    try AtomicFolder.write(Data(text.utf8), to: folder.appending(path: "certificate.json"))
  }

  /// Writes a pair as two folders that transformers opens, with adapter and certificate beside them.
  ///
  /// - Parameters:
  ///   - pair: The pair.
  ///   - tokenizer: The world's.
  ///   - folder: Receives `base`, `finetuned` and what there is of `adapter` and `certificate.json`.
  /// - Throws: `CheckpointError.unwritable`; nothing is left behind then.
  package static func export(_ pair: PlantedPair, tokenizer: WordTokenizer, to folder: URL) throws {
    try AtomicFolder.write(to: folder) { temporary in
      try HuggingFaceFolder.write(
        pair.base, tokenizer: tokenizer, to: temporary.appending(path: "base"))
      try HuggingFaceFolder.write(
        pair.finetuned, tokenizer: tokenizer, to: temporary.appending(path: "finetuned"))
      if let lora = pair.lora {
        try PEFTAdapter.write(lora, base: "../base", to: temporary.appending(path: "adapter"))
      }
      try writeCertificate(of: pair, to: temporary)
    }
  }
}

/// The digests of bases' weights, each computed once.
private final class BaseDigests: Sendable {
  private let known = Mutex<[UInt64: String]>([:])

  func digest(_ base: Base) -> String {
    known.withLock { known in
      if let digest = known[base.recipe.seed] { return digest }
      let digest = BaseStore.weightsDigest(base.model)
      known[base.recipe.seed] = digest
      return digest
    }
  }
}

/// One lock a pair, so that two threads never make the same one.
///
/// A null pair asks for its plant while it holds its own lock; a plant asks for nothing, so none waits for ever.
private final class PairLocks: Sendable {
  private let locks = Mutex<[String: NSLock]>([:])

  func lock(_ name: String) -> NSLock {
    locks.withLock { locks in
      if let lock = locks[name] { return lock }
      let lock = NSLock()
      locks[name] = lock
      return lock
    }
  }
}
