internal import Files
internal import Foundation
internal import Worlds

/// Ordinary texts about one thing each, for models of a world or of words.
struct BenignTexts {
  private enum Source {
    /// The rows of each text that comes with Assay.
    case shipped([[[Int]]])
    /// The world whose documents are drawn.
    case world(World)
  }

  private let source: Source

  init(_ project: Project, _ models: PairFolders) throws {
    if let world = try project.world(of: models.tokenizer) {
      source = .world(world)
      return
    }
    let reader = TextRows.Reader(models)
    let rows = ShippedTexts.benign(project).map { reader.rows(of: $0) }.filter { !$0.isEmpty }
    guard !rows.isEmpty else {
      throw CalibrationError(
        description: "the models have no tokenizer that reads ordinary text, so benign finetunes "
          + "cannot be made; name some with --null.")
    }
    source = .shipped(rows)
  }

  /// The rows of a finetune's text.
  ///
  /// - Throws: `DefinitionError` if a world's document cannot be made.
  func rows(_ index: Int) throws -> [[Int]] {
    switch source {
    case .shipped(let texts): return texts[index % texts.count]
    case .world(let world):
      let kinds = world.kinds.map(\.name)
      var corpus = Corpus(
        world, seed: UInt64(index), for: "benign finetune", kinds: [kinds[index % kinds.count]])
      return try corpus.rows(Self.rowsOfWorld, length: Self.rowLength)
    }
  }

  private static let rowsOfWorld = 16, rowLength = 32

  var digest: String {
    var hash = ContentHash()
    switch source {
    case .shipped(let texts): hash.mix("\(texts)")
    case .world(let world): hash.mix(world.corpusDigest)
    }
    return hash.text
  }
}
