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
  private let sources: String
  private let notice: @Sendable (String) -> Void
  private let certificates: PairFiles<KeptCertificate>
  private let controls: PairFiles<KeptControls>
  private let locks = PairLocks()
  private let told = Told()
  private let digests = PairDigests()

  package init(
    _ project: Project, sources: SourceDigest = SourceDigest(),
    notice: @escaping @Sendable (String) -> Void = Notice.standardError
  ) {
    self.project = project
    self.sources = sources.pairs
    self.notice = notice
    certificates = PairFiles(project.cache.appending(path: "certificates"), notice: notice)
    controls = PairFiles(project.cache.appending(path: "controls"), notice: notice)
  }

  /// What is known of a pair without opening its models.
  package struct Entry: Sendable {
    /// The digest of both models.
    package let models: String
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
    let planting = planting ?? base.seed
    if case .null(let null) = subject, null.match == nil {
      return try null.untrained(base, planting: planting)
    }
    let folders = try self.folders(subject, in: base, planting: planting)
    return try locks.holding(folders.cached.lastPathComponent) {
      for (folder, manifest) in folders.found(self) {
        do {
          return try read(folder, manifest, base: base)
        } catch {
          notice("a kept pair is damaged and made anew: \(error)")
        }
      }
      let pair = try PairMaker.make(
        subject, in: base, planting: planting, progress: progress
      ) {
        try self.pair($0, in: base, planting: planting)
      }
      try write(pair, to: folders.cached)
      return pair
    }
  }

  /// What is known of the pair of a subject, which is made if it is not there.
  package func entry(_ subject: Subject, in base: Base, planting: UInt64? = nil) throws -> Entry {
    if let known = try knownEntry(subject, in: base, planting: planting) { return known }
    let pair = try pair(subject, in: base, planting: planting)
    return Entry(models: digests.of(pair), training: pair.training)
  }

  /// What is known of the pair of a subject; nil if it was never made, or is damaged.
  ///
  /// - Parameter isReadOnly: Whether a pair that is damaged would not be made anew: then its manifest is
  ///   enough, as what is kept of the pair names the models that it was measured on.
  package func knownEntry(
    _ subject: Subject, in base: Base, planting: UInt64? = nil, isReadOnly: Bool = false
  ) throws -> Entry? {
    if case .null(let null) = subject, null.match == nil {
      let pair = try pair(subject, in: base, planting: planting)
      return Entry(models: digests.of(pair), training: nil)
    }
    let folders = try self.folders(subject, in: base, planting: planting ?? base.seed)
    // Whoever asks for a pair that is damaged makes it anew, and says so.
    return folders.found(self).first { folder, manifest in
      isReadOnly || (try? manifest.check(folder)) != nil
    }.map { Entry(models: $0.manifest.models, training: $0.manifest.training) }
  }

  /// The digest of a pair's models.
  func digest(of pair: PlantedPair) -> String { digests.of(pair) }

  /// Puts a pair of a model that people have beside its organism, where everybody finds it: factors of 16 bits.
  ///
  /// - Returns: The folder; nil if the change is none of factors, or the model was made here.
  /// - Throws: As `pair` does.
  package func commit(_ subject: Subject, in base: Base, planting: UInt64? = nil) throws -> URL? {
    let planting = planting ?? base.seed
    let pair = try pair(subject, in: base, planting: planting)
    let folders = try self.folders(subject, in: base, planting: planting)
    guard pair.lora != nil, let committed = folders.committed else { return nil }
    try write(pair, to: committed, recipe: folders.recipe)
    return committed
  }

  // MARK: Certificates

  /// What was measured of a plant: kept, or measured now.
  ///
  /// - Throws: As `pair` does.
  package func certificate(
    _ organism: Organism, _ regime: Regime, in base: Base, planting: UInt64? = nil
  ) throws -> Certificate {
    try kept(certificates, organism, regime, in: base, planting: planting) { key, pair in
      KeptCertificate(
        key: key, certificate: try Certificate(organism, pair, regime: regime, base: base))
    }.certificate
  }

  /// What was measured of a plant, if it is kept.
  package func knownCertificate(
    _ organism: Organism, _ regime: Regime, in base: Base, planting: UInt64? = nil
  ) throws -> Certificate? {
    let subject = Subject.organism(organism, regime)
    guard
      let entry = try knownEntry(subject, in: base, planting: planting, isReadOnly: true)
    else { return nil }
    return try certificates.open(subject.name, digest: entry.models, isReadOnly: true)
      .value(certificateKey(organism, regime, in: base, entry))?.certificate
  }

  /// What a plant's certificate is to be held against: kept, or measured now.
  ///
  /// - Throws: As `pair` does.
  package func controls(_ organism: Organism, _ regime: Regime, in base: Base) throws
    -> PlantControls
  {
    try kept(controls, organism, regime, in: base, planting: nil) { key, pair in
      KeptControls(
        key: key,
        controls: try PlantControls(
          organism, pair, regime: regime, base: base, planting: base.seed))
    }.controls
  }

  /// Something measured of a plant: kept, or measured now.
  private func kept<Value: KeyedValue>(
    _ files: PairFiles<Value>, _ organism: Organism, _ regime: Regime, in base: Base,
    planting: UInt64?, measure: (_ key: String, _ pair: PlantedPair) throws -> Value
  ) throws -> Value {
    let subject = Subject.organism(organism, regime)
    let entry = try entry(subject, in: base, planting: planting)
    let key = try certificateKey(organism, regime, in: base, entry)
    let lines = try files.open(subject.name, digest: entry.models)
    if let known = lines.value(key) { return known }
    return try lines.append(measure(key, pair(subject, in: base, planting: planting)))
  }

  private func certificateKey(
    _ organism: Organism, _ regime: Regime, in base: Base, _ entry: Entry
  ) throws -> String {
    var hash = ContentHash()
    for part in [
      sources, base.world.digest, organism.digest, try JSON.encode(regime),
      try JSON.encode(entry.training),
    ] { hash.mix(part) }
    return hash.text
  }

  // MARK: Folders

  /// Where a pair may be kept.
  private struct Folders {
    /// Beside the organisms; nil where bases are trained here.
    let committed: URL?
    let cached: URL
    /// The digest of what decides the pair beside the code that makes it.
    let recipe: String

    /// Those that hold it, with what they say of it.
    func found(_ store: PairStore) -> some Sequence<(folder: URL, manifest: PairManifest)> {
      [committed, cached].lazy.compactMap { folder in
        guard let folder, let manifest = store.manifest(of: folder) else { return nil }
        // Others' code may have made what is committed: the recipe tells that it is meant to be the same.
        guard folder == cached || manifest.recipe == recipe else { return nil }
        return (folder, manifest)
      }
    }
  }

  private func folders(_ subject: Subject, in base: Base, planting: UInt64) throws -> Folders {
    let recipe = try recipe(subject, in: base, planting: planting)
    var hash = ContentHash()
    hash.mix(sources)
    hash.mix(recipe)
    let name = "\(subject.id)-\(subject.regime)"
    let isCommitted = base.world.isOfText && project.draw == 0
    return Folders(
      committed: isCommitted
        ? project.organisms.appending(path: "Adapters/\(name)-\(planting)") : nil,
      cached: project.cache.appending(path: "pairs/\(name)-\(hash.text)"), recipe: recipe)
  }

  /// The digest of everything that decides a pair beside the code that makes it.
  private func recipe(_ subject: Subject, in base: Base, planting: UInt64) throws -> String {
    var hash = ContentHash()
    hash.mix(digests.of(base.model))
    hash.mix(base.world.corpusDigest)
    hash.mix("\(planting)")
    switch subject {
    case .organism(let organism, let regime):
      hash.mix(organism.id)
      hash.mix(organism.plantingDigest)
      hash.mix(try JSON.encode(regime))
    case .null(let null):
      hash.mix(null.id)
      if case .novel(let lesson) = null.kind { hash.mix(lesson.plantingDigest) }
      if let match = null.match {
        hash.mix(try JSON.encode(match.regime))
        hash.mix(match.organism.plantingDigest)
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
      let text =
        "\(folder.path): its manifest is missing or damaged; the pair is made anew when it is needed"
      if told.isNew(text) { notice(text) }
      return nil
    }
    return manifest
  }

  private func read(_ folder: URL, _ manifest: PairManifest, base: Base) throws -> PlantedPair {
    try manifest.check(folder)
    let pair = try PairMaker.read(folder, training: manifest.training, base: base)
    guard digests.of(pair) == manifest.models else { throw FileError.damaged(folder.path) }
    return pair
  }

  private func write(_ pair: PlantedPair, to folder: URL, recipe: String? = nil) throws {
    try AtomicFolder.write(to: folder) { temporary in
      // Of a LoRA finetune the factors are kept: its base is held once.
      if let lora = pair.lora {
        try PEFTAdapter.fill(temporary, lora, base: "base")
      } else {
        try HuggingFaceFolder.fill(temporary, pair.finetuned, nil)
      }
      let manifest = try PairManifest(
        models: digests.of(pair), training: pair.training, recipe: recipe, files: temporary)
      let text = Seal.sealed(Data(try JSON.encode(manifest).utf8))
      try AtomicFile.write(text, to: temporary.appending(path: Self.manifestName))
    }
  }

  /// Writes a pair as two folders that transformers opens, with adapter and certificate beside them.
  ///
  /// - Parameters:
  ///   - pair: The pair.
  ///   - certificate: What was measured of it.
  ///   - world: What it speaks: its tokenizer, or that of its model, is written beside the weights.
  ///   - folder: Receives `base`, `finetuned` and what there is of `adapter` and `certificate.json`.
  /// - Throws: `FileError.unwritable`; nothing is left behind then.
  package static func export(
    _ pair: PlantedPair, certificate: Certificate?, world: World, to folder: URL
  ) throws {
    try AtomicFolder.writeOwn(to: folder, as: .pair) { temporary in
      for (name, model) in [("base", pair.base), ("finetuned", pair.finetuned)] {
        try write(model, of: world, to: temporary.appending(path: name))
      }
      if let lora = pair.lora {
        try PEFTAdapter.write(lora, base: "../base", to: temporary.appending(path: "adapter"))
      }
      guard let certificate else { return }
      let text = try JSON.encode(certificate, layout: .pretty) + "\n"
      try AtomicFile.write(Data(text.utf8), to: temporary.appending(path: "certificate.json"))
    }
  }

  /// Writes a model's folder, with the tokenizer of its world.
  ///
  /// - Throws: `FileError.unwritable`.
  static func write(_ model: any LanguageModel, of world: World, to folder: URL) throws {
    try HuggingFaceFolder.write(model, tokenizer: world.wordTokenizer, to: folder)
    if let own = world.model?.url { try copyTexts(from: own, to: folder) }
  }

  /// What a model's folder says of its tokens, as it is.
  private static func copyTexts(from model: URL, to folder: URL) throws {
    for name in texts {
      guard let text = try? Data(contentsOf: model.appending(path: name)) else { continue }
      try AtomicFile.write(text, to: folder.appending(path: name))
    }
  }

  private static let texts = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
    "vocab.json", "merges.txt",
  ]
}

/// A certificate under the digest of what it depends on.
private struct KeptCertificate: KeyedValue {
  let key: String
  let certificate: Certificate
}

/// Controls under the same digest.
private struct KeptControls: KeyedValue {
  let key: String
  let controls: PlantControls
}

/// What was told already.
private final class Told: Sendable {
  private let texts = Mutex<Set<String>>([])

  /// Whether a text is told for the first time.
  func isNew(_ text: String) -> Bool { texts.withLock { $0.insert(text).inserted } }
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
