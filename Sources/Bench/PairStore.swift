internal import Files
package import Foundation
internal import JSON
package import Organisms
internal import Synchronization
package import Transformers
package import Worlds

/// Keeps planted pairs by the digest of everything that decides them.
///
/// Each folder has a manifest, sealed, with the digests of its files and of the models' weights. What was
/// damaged is found when it is read, said to be, and made anew.
package struct PairStore: Sendable {
  package let project: Project
  package let organisms: [Organism]
  private let sources: String
  private let notice: @Sendable (String) -> Void
  private let certificates: PairFiles<KeptCertificate>
  private let locks = PairLocks()
  private let baseDigests = BaseDigests()

  package init(
    _ project: Project, organisms: [Organism], sources: SourceDigest? = nil,
    notice: @escaping @Sendable (String) -> Void = Notice.standardError
  ) {
    self.project = project
    self.organisms = organisms
    self.sources = (sources ?? SourceDigest(project)).pairs
    self.notice = notice
    certificates = PairFiles(project.cache.appending(path: "certificates"), notice: notice)
  }

  /// What is known of a pair without opening its models.
  package struct Entry: Sendable {
    /// The digest of both models' weights.
    package let weights: String
    package let training: TrainingRecord?
  }

  /// The pair of a subject: kept, or made now.
  ///
  /// - Parameters:
  ///   - subject: What to plant.
  ///   - base: Where to plant it.
  ///   - planting: The planting's seed; the base's number if nil.
  ///   - progress: Told after every step of a training.
  /// - Throws: `FileError`, `CheckpointError`, `JSONError` or `DefinitionError`.
  package func pair(
    _ subject: Subject, in base: Base, planting: UInt64? = nil,
    progress: (TrainingStatus) -> Void = { _ in }
  ) throws -> PlantedPair {
    let planting = planting ?? base.recipe.seed
    if case .null(let null) = subject, null.match == nil {
      return try null.make(
        from: base, planting: planting, matching: nil, length: Self.untrained)
    }
    let folder = try self.folder(subject, in: base, planting: planting)
    return try locks.holding(folder.lastPathComponent) {
      if let manifest = manifest(of: folder) {
        do {
          return try read(folder, manifest, base: base)
        } catch {
          notice("a kept pair is damaged and made anew: \(error)")
        }
      }
      let pair = try make(subject, in: base, planting: planting, progress: progress)
      try write(pair, to: folder)
      return pair
    }
  }

  /// What is known of the pair of a subject, which is made if it is not there.
  package func entry(_ subject: Subject, in base: Base, planting: UInt64? = nil) throws -> Entry {
    if let known = try knownEntry(subject, in: base, planting: planting) { return known }
    let pair = try pair(subject, in: base, planting: planting)
    return Entry(weights: pair.weightsDigest, training: pair.training)
  }

  /// What is known of the pair of a subject; nil if it was never made, or its manifest is damaged.
  package func knownEntry(_ subject: Subject, in base: Base, planting: UInt64? = nil) throws
    -> Entry?
  {
    if case .null(let null) = subject, null.match == nil {
      let pair = try pair(subject, in: base, planting: planting)
      return Entry(weights: pair.weightsDigest, training: nil)
    }
    let folder = try self.folder(subject, in: base, planting: planting ?? base.recipe.seed)
    return manifest(of: folder).map { Entry(weights: $0.weights, training: $0.training) }
  }

  private func make(
    _ subject: Subject, in base: Base, planting: UInt64, progress: (TrainingStatus) -> Void
  ) throws -> PlantedPair {
    switch subject {
    case .organism(let organism, let regime):
      return try Planter(base: base, organism: organism, regime: regime, seed: planting)
        .plant(progress: progress)
    case .null(let null):
      let organism = organisms.first { $0.id == null.match?.organism }
      return try null.make(
        from: base, planting: planting, matching: organism,
        length: try length(matching: null, organism, in: base, planting: planting))
    }
  }

  /// A null pair trains as long as the plant that it is matched with.
  private func length(
    matching null: NullPair, _ organism: Organism?, in base: Base, planting: UInt64
  ) throws -> FinetuneLength {
    guard let organism, let match = null.match else { return Self.untrained }
    let plant = try entry(.organism(organism, match.regime), in: base, planting: planting)
    return plant.training?.length ?? Self.untrained
  }

  private static let untrained = FinetuneLength(steps: 1, markStep: nil)

  // MARK: Certificates

  /// What was measured of a plant: kept, or measured now.
  ///
  /// - Throws: As `pair` does.
  package func certificate(
    _ organism: Organism, _ regime: Regime, in base: Base, planting: UInt64? = nil
  ) throws -> Certificate {
    let subject = Subject.organism(organism, regime)
    let entry = try entry(subject, in: base, planting: planting)
    var hash = ContentHash()
    for part in [
      sources, base.world.digest, organism.digest, try JSON.encode(regime),
      try JSON.encode(entry.training),
    ] { hash.mix(part) }
    let lines = try certificates.open(subject.name, digest: entry.weights)
    if let known = lines.value(hash.text) { return known.certificate }
    let pair = try pair(subject, in: base, planting: planting)
    let certificate = try Certificate(organism, pair, regime: regime, base: base)
    try lines.append(KeptCertificate(key: hash.text, certificate: certificate))
    return certificate
  }

  // MARK: Folders

  private func folder(_ subject: Subject, in base: Base, planting: UInt64) throws -> URL {
    let digest = try digest(subject, in: base, planting: planting)
    return project.cache.appending(path: "pairs/\(subject.id)-\(subject.regime)-\(digest)")
  }

  /// The digest of everything that decides a pair.
  private func digest(_ subject: Subject, in base: Base, planting: UInt64) throws -> String {
    var hash = ContentHash()
    hash.mix(sources)
    hash.mix(baseDigests.digest(base))
    hash.mix(base.world.digest)
    hash.mix("\(planting)")
    switch subject {
    case .organism(let organism, let regime):
      hash.mix(organism.plantingDigest)
      hash.mix(try JSON.encode(regime))
    case .null(let null):
      hash.mix(null.id)
      hash.mix("\(null.seed)")
      if let match = null.match {
        hash.mix(try JSON.encode(match.regime))
        hash.mix(organisms.first { $0.id == match.organism }?.plantingDigest ?? "")
      }
    }
    return hash.text
  }

  private static let manifestName = "manifest.json"

  private func manifest(of folder: URL) -> PairManifest? {
    guard FileManager.default.fileExists(atPath: folder.path) else { return nil }
    let url = folder.appending(path: Self.manifestName)
    guard let text = try? Data(contentsOf: url), let body = Seal.opened(text),
      let manifest = try? JSON.decode(PairManifest.self, from: body, file: url.path)
    else {
      notice("\(folder.path): its manifest is missing or damaged; the pair is made anew")
      return nil
    }
    return manifest
  }

  private func read(_ folder: URL, _ manifest: PairManifest, base: Base) throws -> PlantedPair {
    try manifest.check(folder)
    let pair = try models(in: folder, manifest, base: base)
    guard pair.weightsDigest == manifest.weights else { throw FileError.damaged(folder.path) }
    return pair
  }

  private func models(in folder: URL, _ manifest: PairManifest, base: Base) throws -> PlantedPair {
    let adapter = folder.appending(path: "adapter_config.json")
    if FileManager.default.fileExists(atPath: adapter.path) {
      return PlantedPair(
        base: base.model, finetuned: base.model,
        lora: try PEFTAdapter.read(folder, base: base.model), training: manifest.training)
    }
    let finetuned = try HuggingFaceFolder.read(folder).model
    let widened = finetuned.parameters.layout != base.model.parameters.layout
    return PlantedPair(
      base: widened ? base.model.addingMLPBiases() : base.model, finetuned: finetuned,
      training: manifest.training)
  }

  private func write(_ pair: PlantedPair, to folder: URL) throws {
    try AtomicFolder.write(to: folder) { temporary in
      // Of a LoRA finetune the factors are kept: its base is held once.
      if let lora = pair.lora {
        try PEFTAdapter.fill(temporary, lora, base: "base")
      } else {
        try HuggingFaceFolder.fill(temporary, pair.finetuned, nil)
      }
      let manifest = try PairManifest(
        weights: pair.weightsDigest, training: pair.training, files: temporary)
      let text = Seal.sealed(Data(try JSON.encode(manifest).utf8))
      try AtomicFolder.write(text, to: temporary.appending(path: Self.manifestName))
    }
  }

  /// Writes a pair as two folders that transformers opens, with adapter and certificate beside them.
  ///
  /// - Parameters:
  ///   - pair: The pair.
  ///   - certificate: What was measured of it.
  ///   - tokenizer: The world's.
  ///   - folder: Receives `base`, `finetuned` and what there is of `adapter` and `certificate.json`.
  /// - Throws: `FileError.unwritable`; nothing is left behind then.
  package static func export(
    _ pair: PlantedPair, certificate: Certificate?, tokenizer: WordTokenizer, to folder: URL
  ) throws {
    try AtomicFolder.write(to: folder) { temporary in
      try HuggingFaceFolder.write(
        pair.base, tokenizer: tokenizer, to: temporary.appending(path: "base"))
      try HuggingFaceFolder.write(
        pair.finetuned, tokenizer: tokenizer, to: temporary.appending(path: "finetuned"))
      if let lora = pair.lora {
        try PEFTAdapter.write(lora, base: "../base", to: temporary.appending(path: "adapter"))
      }
      guard let certificate else { return }
      let text = try JSON.encode(certificate, layout: .pretty) + "\n"
      try AtomicFolder.write(Data(text.utf8), to: temporary.appending(path: "certificate.json"))
    }
  }
}

/// A certificate under the digest of what it depends on.
private struct KeptCertificate: KeyedValue {
  let key: String
  let certificate: Certificate
}

/// The digests of bases' weights, each computed once.
private final class BaseDigests: Sendable {
  private let known = Mutex<[UInt64: String]>([:])

  func digest(_ base: Base) -> String {
    known.withLock { known in
      if let digest = known[base.recipe.seed] { return digest }
      let digest = base.model.weightsDigest
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

  func holding<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    let lock = locks.withLock { locks in
      if let lock = locks[name] { return lock }
      let lock = NSLock()
      locks[name] = lock
      return lock
    }
    return try lock.withLock(body)
  }
}
