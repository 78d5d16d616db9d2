internal import Foundation
internal import JSON
internal import Tensors

/// Digests of the code that decides numbers, so that a cache never outlives a change of it.
package enum SourceDigest {
  private static let planting = ["JSON", "CKernels", "Tensors", "Transformers", "Organisms"]
  private static let measuring = planting + ["Diffing", "Scoring", "Bench"]

  /// What decides a planted pair.
  package static func pairs(_ project: Project) -> String { digest(planting, project) }

  /// What decides a trial.
  package static func trials(_ project: Project) -> String { digest(measuring, project) }

  /// The rooms' sources, and the processor's kernels, whose sums differ in the last bits.
  ///
  /// Outside a checkout, where there are no sources, the version of the engine stands for them.
  private static func digest(_ rooms: [String], _ project: Project) -> String {
    var hash = ContentHash()
    hash.mix(engineVersion)
    hash.mix(openBLASCore)
    hash.mix(kernelLevel)
    for room in rooms {
      let folder = project.root.appending(path: "Sources/\(room)")
      let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
      // What is written about the code decides no number.
      for file in (files ?? []).sorted() where !file.hasSuffix(".md") {
        guard let data = try? Data(contentsOf: folder.appending(path: file)) else { continue }
        hash.mix(file)
        hash.mix(data)
      }
    }
    return hash.text
  }
}
