internal import JSON
internal import Methods
internal import Scoring
internal import Files
internal import Foundation
internal import Tensors

/// Digests of the code that decides numbers, so that nothing kept outlives a change of it.
///
/// Each kind of thing that is kept depends on some rooms and no others: a change of a scorer trains nothing,
/// a change of one method measures that method alone.
package struct SourceDigest: Sendable {
  /// What decides a base, a planted pair and its certificate.
  package static let planting = [
    "JSON", "CKernels", "Tensors", "Transformers", "Worlds", "Organisms",
  ]
  /// What decides every method's evidence, beside the method's own file: the rooms below, the contract and
  /// the shared toolbox.
  package static let measuring = [
    "CKernels", "Tensors", "Transformers", "Diffing", "Methods/Measures",
  ]
  /// Where each method has a file of its own type's name.
  package static let methods = "Methods/Methods"
  /// What decides the effects of interventions.
  package static let effects = [
    "CKernels", "Tensors", "Transformers", "Diffing", "Worlds", "Scoring/Effects",
  ]

  /// What decides nothing that is kept, and why.
  ///
  /// A house test knows every file, hashed or listed here.
  package static let harmless = [
    "COpenBLAS": "a module map",
    "CJSONC": "a module map",
    "Files": "where and how things are kept; what is kept is checked by its content",
    "Methods/Methods.swift": "the list of methods",
    "Methods/METHODS.md": "a page",
    "Scoring/Ranking.swift": "scores are computed anew from what is kept",
    "Scoring/Score.swift": "scores are computed anew from what is kept",
    "Scoring/Scorers": "scores are computed anew from what is kept",
    "Bench": "what it asks of methods (text, seeds, hyperparameters) is hashed by content",
    "Statistics": "computed from trials",
    "Reporting": "computed from trials",
    "assay": "the command line",
  ]

  private let project: Project

  package init(_ project: Project) { self.project = project }

  /// What decides a base, a pair or a certificate.
  package var pairs: String { digest(Self.planting) }

  /// What decides the evidence of a method.
  ///
  /// - Parameter type: The name of the method's type, which is that of its file.
  package func evidence(ofType type: String) -> String {
    digest(Self.measuring + ["\(Self.methods)/\(type).swift"])
  }

  /// What decides the effects of interventions.
  package var effects: String { digest(Self.effects) }

  /// The sources, and the processor's kernels, whose sums differ in the last bits.
  ///
  /// Outside a checkout, where there are no sources, the version of the engine stands for them.
  private func digest(_ parts: [String]) -> String {
    var hash = ContentHash()
    hash.mix(engineVersion)
    hash.mix(openBLASCore)
    hash.mix(kernelLevel)
    for file in parts.flatMap(files) {
      guard let data = try? Data(contentsOf: folder.appending(path: file)) else { continue }
      hash.mix(file)
      hash.mix(data)
    }
    return hash.text
  }

  private var folder: URL { project.root.appending(path: "Sources") }

  /// The files of a room or folder, or the file itself.
  ///
  /// What is written about the code decides no number.
  private func files(_ part: String) -> [String] {
    guard !part.hasSuffix(".swift") else { return [part] }
    let names = FileManager.default.enumerator(atPath: folder.appending(path: part).path)?
      .compactMap { $0 as? String }
    return (names ?? []).filter { !$0.hasSuffix(".md") }.sorted().map { "\(part)/\($0)" }
  }
}
