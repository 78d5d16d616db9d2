/// How large the bases are that are trained from a world.
///
/// A ranking of methods that changes with it says more about tiny models than about methods.
package enum BaseSize: String, Codable, CaseIterable, Sendable {
  /// Three blocks of width 64: 213,000 weights.
  case small
  /// Four blocks of width 128: a million.
  case medium
  /// Six blocks of width 256: five million.
  case large
}
