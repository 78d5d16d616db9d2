internal import JSON
internal import Methods
internal import Scoring
internal import Files
package import Foundation
internal import Tensors

/// Digests of the code that decides numbers, so that nothing kept outlives a change of it.
///
/// Each kind of thing that is kept depends on some rooms and no others: a change of a scorer trains nothing,
/// a change of one method measures that method alone. The sources are those that the program was built from,
/// wherever the project is that it works on.
package struct SourceDigest: Sendable {
  /// What decides a base, a planted pair and its certificate.
  package static let planting = [
    "JSON", "CKernels", "Tensors", "Transformers", "Worlds", "Organisms", "Bench/Planting",
  ]
  /// What decides every method's evidence, beside the method's own file: the rooms below, the contract, the
  /// shared toolbox, and what a method is given.
  package static let measuring = [
    "CKernels", "Tensors", "Transformers", "Diffing", "Methods/Measures", "Bench/Measuring",
  ]
  /// Where each method has a file of its own type's name.
  package static let methods = "Methods/Methods"
  /// What decides the evidence of the methods that import a room, beside what decides everybody's: the room, and what
  /// methods do with it.
  package static let imported = [
    "Circuits": ["Circuits"], "Dictionaries": ["Dictionaries", "Methods/Latents"],
  ]
  /// Where the dummies are.
  package static let dummies = "Bench/Dummies"
  /// What decides the effects of interventions.
  package static let effects = [
    "CKernels", "Tensors", "Transformers", "Diffing", "Worlds", "Scoring/Effects",
    "Bench/Measuring",
  ]

  /// What decides nothing that is kept, and why.
  ///
  /// A house test knows every file, hashed or listed here.
  package static let harmless = [
    "COpenBLAS": "a module map; the library's own version is hashed",
    "CJSONC": "a module map",
    "CRenaming": "two names of the system's",
    "Files": "where and how things are kept; what is kept is checked by its content",
    "Methods/Methods.swift": "the list of methods",
    "Methods/MethodSetting.swift": "the bench sets no parameter",
    "Methods/METHODS.md": "a page",
    "Scoring/Ranking.swift": "scores are computed anew from what is kept",
    "Scoring/Investigation": "what is found is computed anew from what is kept",
    "Scoring/Score.swift": "scores are computed anew from what is kept",
    "Scoring/Scorers": "scores are computed anew from what is kept",
    "Bench/Isolation": "in which process a method runs; what it says is the same",
    "CIsolation": "in which process a method runs; what it says is the same",
    "Bench/Keeping": "what is kept is checked by its content",
    "Bench/Checking": "what people are told of their own models",
    "Bench/Running": "which cells are run; what each is made of is in its key",
    "Bench/Speed": "timing",
    "Bench/Fetching": "others' models, which no pair of the bench is made of",
    "Bench/External": "people's programs; what each says is kept under its command and files",
    "Bench/Endpoints": "models of others behind servers, which no pair of the bench is made of",
    "Bench/Investigating": "what an investigator finds is computed anew from what is kept",
    "Bench/Viewing": "what people look at",
    "Bench/Decomposing": "what people do with dictionaries of their own models",
    "Statistics": "computed from trials",
    "Reporting": "computed from trials",
    "Dashboard": "laid out from trials and from what is kept",
    "assay": "the command line",
  ]

  /// The `Sources` that this program was built from.
  package static let ofThisProgram = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private let folder: URL

  /// - Parameter folder: The sources; those of this program if not given.
  package init(_ folder: URL = Self.ofThisProgram) { self.folder = folder }

  /// What decides a base, a pair or a certificate.
  package var pairs: String { digest(Self.planting) }

  /// What decides the evidence of a method.
  ///
  /// - Parameter type: The name of the method's type, which is that of its file.
  package func evidence(ofType type: String) -> String {
    let file = "\(Self.methods)/\(type).swift"
    let text = try? String(contentsOf: folder.appending(path: file), encoding: .utf8)
    let imported = Self.imported.sorted { $0.key < $1.key }
      .filter { text?.contains("import \($0.key)\n") == true }.flatMap(\.value)
    return digest(Self.measuring + imported + [file])
  }

  /// What decides what dummies say.
  package var dummyEvidence: String { digest(Self.measuring + [Self.dummies]) }

  /// What decides the effects of interventions.
  package var effects: String { digest(Self.effects) }

  /// A source that was changed after this program was built, if there is one: then what it measures would be
  /// kept as that of the changed source.
  package var changedSinceBuild: String? {
    guard folder == Self.ofThisProgram,
      let program = Bundle.main.executableURL.flatMap(Self.modified)
    else { return nil }
    return Set(
      Self.planting + Self.measuring + [Self.methods, Self.dummies]
        + Self.imported.values.joined()
        + Self.effects
    )
    .sorted()
    .flatMap(files)
    .first { Self.modified(folder.appending(path: $0)).map { $0 > program } ?? false }
  }

  private static func modified(_ url: URL) -> Date? {
    try? url.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate
  }

  /// The sources, and what compiles and carries them out: other kernels, compilers and libraries differ in
  /// the last bits.
  ///
  /// Where a program lies without its sources, the program itself stands for them.
  private func digest(_ parts: [String]) -> String {
    var hash = ContentHash()
    for fact in machinery { hash.mix(fact) }
    let files = parts.flatMap(files)
    if files.isEmpty, let program = Bundle.main.executableURL {
      hash.mix((try? Data(contentsOf: program)) ?? Data())
    }
    for file in files {
      hash.mix(file)
      hash.mix((try? Data(contentsOf: folder.appending(path: file))) ?? Data())
    }
    return hash.text
  }

  /// What compiles and carries the sources out.
  var machinery: [String] { [openBLASCore, Self.library, kernelLevel, Self.build] }

  /// OpenBLAS's version and options, asked for once: it writes them into one buffer, whoever asks, so that two
  /// threads that ask at once read garbage.
  private static let library = openBLASBuild

  /// How this program was compiled.
  private static var build: String {
    #if DEBUG
      let configuration = "debug"
    #else
      let configuration = "release"
    #endif
    #if compiler(>=6.5)
      return "\(configuration), Swift 6.5 or later"
    #elseif compiler(>=6.4)
      return "\(configuration), Swift 6.4"
    #else
      return "\(configuration), Swift 6.3"
    #endif
  }

  /// The files of a room or folder, or the file itself.
  ///
  /// What is written about the code decides no number.
  private func files(_ part: String) -> [String] {
    guard !part.hasSuffix(".swift") else { return [part] }
    let names = FileManager.default.enumerator(atPath: folder.appending(path: part).path)?
      .compactMap { $0 as? String }
    return (names ?? []).filter { name in
      [".swift", ".c", ".h", ".modulemap"].contains { name.hasSuffix($0) }
    }.sorted().map { "\(part)/\($0)" }
  }
}
