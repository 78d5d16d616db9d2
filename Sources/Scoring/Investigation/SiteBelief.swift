internal import Foundation
package import Transformers

/// In which module somebody who asks about two models holds a change to be.
///
/// If the change is in a module, giving the base that module's finetuned weights brings any share of it, p(x) = 1 for x in 0...1; if it is not,
/// little, p(x) = exp(−x / s) / s. So an exchange is worth log s + x / s.
package struct SiteBelief: Sendable {
  /// A module with its probability.
  package struct Share: Sendable {
    package let module: ModuleSite
    package let probability: Double
  }

  /// How much of a change a module brings that it is not in.
  private static let scale = 0.1

  private let modules: [ModuleSite]
  private var weights: [Double]

  /// - Parameters:
  ///   - modules: Those that a change may be in.
  ///   - claims: What each of some methods names, the strongest first.
  package init(modules: [ModuleSite], claims: [[ModuleSite]]) {
    self.modules = modules
    let claimed = ZipfShares(claims, among: Set(modules))
    weights = modules.map { log(claimed.share(of: $0, untouched: Belief.untouched)) }
  }

  /// Takes an exchange into account.
  ///
  /// - Parameters:
  ///   - module: What was exchanged.
  ///   - share: How much of the change it brought, from 0 to 1.
  package mutating func update(_ module: ModuleSite, bringing share: Double) {
    guard let index = modules.firstIndex(of: module) else { return }
    weights[index] += log(Self.scale) + share / Self.scale
  }

  /// All modules, the likeliest first.
  package var ranked: [Share] {
    let largest = weights.max() ?? 0
    let sum = weights.reduce(0) { $0 + exp($1 - largest) }
    return weights.indices.sorted { (weights[$0], $1) > (weights[$1], $0) }.map {
      Share(module: modules[$0], probability: exp(weights[$0] - largest) / sum)
    }
  }
}
