package import Dictionaries
internal import Files
package import Foundation
internal import JSON
internal import Tensors
package import Transformers

/// A dictionary that cannot be read, or is none of the model it is used with.
package struct DictionaryError: Error, Equatable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ place: URL, _ reason: String) {
    description = Printable.line("\(place.path): \(reason)")
  }
}

/// An ITDA dictionary with what it was made of, as a folder that Python opens.
///
/// `dictionary.safetensors` holds `atoms`, `[atoms, width]`, unit rows; `provenance`, `[atoms, 2]`, the row of the text
/// and the token's place in it; `contexts`, `[atoms, 12]`, the tokens up to the one that each atom is the activation
/// of, -1 where its row has none. `config.json` says the rest.
package struct SavedITDA: Sendable {
  package let dictionary: ITDADictionary
  package let origin: Origin
  /// The last tokens up to each atom's own, which stands last.
  package let contexts: [[Int]]

  /// What a dictionary was made of.
  package struct Origin: Codable, Equatable, Sendable {
    /// The block after which streams were read.
    package let layer: Int
    /// The model's blocks, and the numbers of its stream.
    package let layers, width: Int
    /// The digest of the model's weights.
    package let model: String
    /// Rows and tokens that were read.
    package let documents, tokens: Int
  }

  /// Tokens of a context.
  static let contextLength = 12

  private struct Configuration: Codable {
    let kind: String
    let origin: Origin
    let sparsity: Int
    let threshold: Float
  }

  private static let kind = "itda"
  private static let configurationName = "config.json", tensorsName = "dictionary.safetensors"

  /// Writes the folder; what Assay did not write there is not replaced.
  ///
  /// - Throws: `FileError.unwritable`; nothing is left behind.
  package func write(to folder: URL) throws {
    try AtomicFolder.writeOwn(to: folder, as: .dictionary) { temporary in
      let options = dictionary.options
      let text = try JSON.encode(
        Configuration(
          kind: Self.kind, origin: origin, sparsity: options.sparsity,
          threshold: options.threshold), layout: .pretty)
      try AtomicFile.write(
        Data("\(text)\n".utf8), to: temporary.appending(path: Self.configurationName))
      try Safetensors.write(layout, to: temporary.appending(path: Self.tensorsName)) { file in
        try file.write(dictionary.atoms.scalars, to: "atoms")
        try file.write(
          dictionary.provenance.flatMap { [$0.document, $0.position] }, to: "provenance")
        try file.write(contexts.flatMap(Self.padded), to: "contexts")
      }
    }
  }

  private var layout: Safetensors.Layout {
    Safetensors.Layout([
      .init("atoms", .float32, [dictionary.count, dictionary.width]),
      .init("provenance", .int64, [dictionary.count, 2]),
      .init("contexts", .int64, [dictionary.count, Self.contextLength]),
    ])
  }

  private static func padded(_ context: [Int]) -> [Int] {
    Array(repeating: -1, count: contextLength - context.count) + context
  }

  /// Puts a dictionary together.
  init(_ dictionary: ITDADictionary, _ origin: Origin, contexts: [[Int]]) {
    self.dictionary = dictionary
    self.origin = origin
    self.contexts = contexts
  }

  /// Reads a folder that `write` wrote.
  ///
  /// - Throws: `DictionaryError`, `CheckpointError` or `JSONError`.
  package init(contentsOf folder: URL) throws {
    guard !OwnFolder.isChanged(folder) else {
      throw DictionaryError(
        folder, "something in it was changed since it was written; make it anew.")
    }
    let configuration = try Self.configuration(folder)
    let url = folder.appending(path: Self.tensorsName)
    let entries = Dictionary(try Safetensors.open(url).map { ($0.name, $0) }) { first, _ in first }
    func entry(_ name: String, _ shape: [Int]) throws -> Safetensors.Entry {
      guard let entry = entries[name], entry.shape == shape else {
        throw DictionaryError(
          url,
          "it should hold '\(name)' of shape \(shape)"
            + (entries[name].map { ", not \($0.shape)." } ?? "."))
      }
      return entry
    }
    origin = configuration.origin
    guard let count = entries["atoms"]?.shape.first, count > 0 else {
      throw DictionaryError(url, "it holds no atoms.")
    }
    let atoms = try entry("atoms", [count, origin.width]).read()
    guard atoms.rowNorms.allSatisfy({ abs($0 - 1) < 1e-3 }) else {
      throw DictionaryError(url, "its atoms should be rows of length 1.")
    }
    let places = try entry("provenance", [count, 2]).integers()
    dictionary = ITDADictionary(
      atoms: atoms,
      provenance: (0..<count).map {
        .init(document: places[2 * $0], position: places[2 * $0 + 1])
      },
      options: .init(
        sparsity: min(configuration.sparsity, count), threshold: configuration.threshold,
        capacity: count))
    let tokens = try entry("contexts", [count, Self.contextLength]).integers()
    contexts = (0..<count).map { atom in
      tokens[atom * Self.contextLength..<(atom + 1) * Self.contextLength].filter { $0 >= 0 }
    }
  }

  private static func configuration(_ folder: URL) throws -> Configuration {
    let url = folder.appending(path: configurationName)
    guard let text = try? Data(contentsOf: url) else {
      throw DictionaryError(
        folder,
        "no dictionary is there; './assay itda train MODEL --layer L --out FOLDER' makes one.")
    }
    guard let configuration = try? JSON.decode(Configuration.self, from: text, file: url.path),
      configuration.kind == kind, configuration.sparsity > 0, configuration.threshold > 0,
      configuration.threshold < 1
    else {
      throw DictionaryError(url, "it is no dictionary's, as './assay itda train' writes them.")
    }
    return configuration
  }

  /// Checks that this is a dictionary of a model.
  ///
  /// - Parameters:
  ///   - model: The base of a pair.
  ///   - folder: Where the dictionary was read.
  ///   - insists: Whether another model of the same sizes is taken all the same.
  /// - Throws: `DictionaryError` that says in what they differ.
  package func check(_ model: any LanguageModel, _ folder: URL, insists: Bool = false) throws {
    let shape = model.shape
    guard origin.width == shape.width else {
      throw DictionaryError(
        folder, "its atoms have \(origin.width) numbers, the base's stream has \(shape.width).")
    }
    guard origin.layers == shape.layers, (0..<shape.layers).contains(origin.layer) else {
      throw DictionaryError(
        folder, "it is of block \(origin.layer) of \(origin.layers); the base has \(shape.layers).")
    }
    guard insists || origin.model == model.weightsDigest else {
      throw DictionaryError(
        folder, "it was made of another model than this base; '--insist' takes it all the same.")
    }
  }
}
