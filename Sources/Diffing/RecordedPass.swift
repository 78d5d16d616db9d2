internal import Files
internal import Foundation
internal import Synchronization
public import Tensors
public import Transformers

/// What a forward pass recorded: in memory or, where that is much, in a file that has no name and goes with it.
public struct RecordedPass: Sendable {
  private enum Store {
    case held([ActivationSite: Tensor])
    case filed(RecordingFile, [ActivationSite: Place])
  }

  /// Where a file has a site.
  private struct Place {
    let offset, columns: Int
  }

  private static let held = Atomic(1 << 24)

  /// How many numbers a pass keeps in memory if nobody says otherwise.
  ///
  /// A process that runs methods in sealed children sets it to all there are: a child has no files, neither its own
  /// nor its parent's.
  package static var mostHeld: Int {
    get { held.load(ordering: .relaxed) }
    set { held.store(newValue, ordering: .relaxed) }
  }

  private let store: Store
  private let rows: Int

  /// What was recorded at `site`, shaped `[tokens, width]`.
  ///
  /// - Precondition: The pass was asked to record it.
  public subscript(site: ActivationSite) -> Tensor {
    switch store {
    case .held(let recordings):
      if let recording = recordings[site] { return recording }
    case .filed(let file, let places):
      if let place = places[site] {
        return Tensor(
          shape: [rows, place.columns],
          scalars: file.read(rows * place.columns, at: place.offset))
      }
    }
    preconditionFailure("The forward pass was not asked to record \(site)")
  }

  /// Reads a text, and keeps what is asked for.
  ///
  /// - Parameters:
  ///   - model: What reads.
  ///   - text: What is read.
  ///   - sites: What is kept.
  ///   - limit: How many numbers are kept in memory; of more, twice as many are computed at once.
  package init(
    _ model: any LanguageModel, _ text: TokenBatch, sites: Set<ActivationSite>,
    holding limit: Int = Self.mostHeld
  ) {
    rows = text.count
    let perToken = sites.count * model.shape.width
    if perToken * text.count > limit, let file = RecordingFile() {
      let chunks = Self.chunks(of: text, tokens: 2 * limit / perToken)
      var writer = Writer(file: file, text: text)
      if chunks.allSatisfy({ writer.append($0, model, sites) }) {
        store = .filed(file, writer.places)
        return
      }
    }
    store = .held(model.forward(text, recording: sites, logits: .none).recordings)
  }

  /// Rows one behind the other, as many at once as have so many tokens; at least one.
  private static func chunks(of text: TokenBatch, tokens: Int) -> [Range<Int>] {
    var chunks: [Range<Int>] = []
    for row in 0..<text.rows {
      let end = text.range(row).upperBound
      if let last = chunks.last, end - text.range(last.lowerBound).lowerBound <= tokens {
        chunks[chunks.count - 1] = last.lowerBound..<row + 1
      } else {
        chunks.append(row..<row + 1)
      }
    }
    return chunks
  }

  /// Writes what some rows at a time recorded to the places that all rows' have.
  private struct Writer {
    let file: RecordingFile
    let text: TokenBatch
    private(set) var places: [ActivationSite: Place] = [:]
    private var end = 0

    init(file: RecordingFile, text: TokenBatch) {
      self.file = file
      self.text = text
    }

    /// Whether the file took it.
    mutating func append(
      _ rows: Range<Int>, _ model: any LanguageModel, _ sites: Set<ActivationSite>
    ) -> Bool {
      let batch = TokenBatch(rows.map { Array(text.row($0)) })
      let first = text.range(rows.lowerBound).lowerBound
      for (site, recording) in model.forward(batch, recording: sites, logits: .none).recordings {
        let wide = widened(recording, site, from: batch.longestRow)
        let place = place(site, columns: wide.columns)
        guard file.write(wide.scalars, at: place.offset + first * wide.columns) else {
          return false
        }
      }
      return true
    }

    private mutating func place(_ site: ActivationSite, columns: Int) -> Place {
      if let place = places[site] { return place }
      let place = Place(offset: end, columns: columns)
      places[site] = place
      end += columns * text.count
      return place
    }

    /// A pattern has a column for each key of the longest row; of all rows, that may be another.
    private func widened(_ recording: Tensor, _ site: ActivationSite, from longest: Int) -> Tensor {
      guard case .pattern = site, longest < text.longestRow, longest > 0 else { return recording }
      let heads = recording.columns / longest
      let zeros = [Float](repeating: 0, count: text.longestRow - longest)
      let scalars = (0..<recording.rows).flatMap { row -> [Float] in
        let keys = recording.row(row)
        return (0..<heads).flatMap { head -> [Float] in
          let start = keys.startIndex + head * longest
          return Array(keys[start..<start + longest]) + zeros
        }
      }
      return Tensor(shape: [recording.rows, heads * text.longestRow], scalars: scalars)
    }
  }
}

/// A file of numbers without a name: it is gone when nobody holds it, whatever happens.
private final class RecordingFile: Sendable {
  private let handle: Mutex<FileHandle>

  /// Opens one where temporary files are; nil if that cannot be.
  init?() {
    let url = FileManager.default.temporaryDirectory
      .appending(path: "assay-recordings-\(UUID().uuidString)")
    let mine: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
    guard FileManager.default.createFile(atPath: url.path, contents: nil, attributes: mine),
      let handle = try? FileHandle(forUpdating: url)
    else { return nil }
    try? FileManager.default.removeItem(at: url)
    self.handle = Mutex(handle)
  }

  /// Whether there was room.
  func write(_ scalars: [Float], at offset: Int) -> Bool {
    let data = Data(FloatBuffer(scalars).bytes(in: 0..<scalars.count))
    return handle.withLock { handle in
      do {
        try handle.seek(toOffset: Self.bytes(offset))
        try handle.write(contentsOf: data)
        return true
      } catch {
        return false
      }
    }
  }

  /// Reads numbers that were written.
  func read(_ count: Int, at offset: Int) -> [Float] {
    let bytes = handle.withLock {
      $0.bytes(count * MemoryLayout<Float>.stride, at: Self.bytes(offset))
    }
    let scalars = NarrowFloats.singles.numbers((bytes ?? Data()).bytes)
    precondition(scalars.count == count, "A temporary file can no longer be read")
    return scalars
  }

  private static func bytes(_ count: Int) -> UInt64 { UInt64(count * MemoryLayout<Float>.stride) }
}
