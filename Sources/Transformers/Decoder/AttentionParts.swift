/// Rotary positions: the base of their frequencies, and how they are stretched.
package struct RotaryPositions: Sendable, Hashable, CustomStringConvertible {
  package var theta: Double
  package var scaling: RotaryScaling

  package init(theta: Double, scaling: RotaryScaling = .none) {
    self.theta = theta
    self.scaling = scaling
  }

  package var description: String {
    "a rope_theta of \(theta)" + (scaling == .none ? "" : ", stretched by \(scaling)")
  }
}

/// How a decoder's attention weighs tokens.
package struct AttentionParts: Sendable, Equatable {
  /// What a query sees, and how it tells places apart.
  package struct Reach: Sendable, Hashable {
    /// How many tokens a query sees, itself included; all before it if nil.
    package var window: Int?
    /// Nil where queries and keys are not rotated.
    package var rotary: RotaryPositions?

    package init(
      window: Int? = nil, rotary: RotaryPositions? = RotaryPositions(theta: 10_000)
    ) {
      self.window = window
      self.rotary = rotary
    }
  }

  /// Blocks of another reach; there is one at least.
  package struct Local: Sendable, Hashable {
    package var blocks: Set<Int>
    package var reach: Reach

    /// Nil if there are no such blocks.
    package init?(_ blocks: Set<Int>, _ reach: Reach) {
      guard !blocks.isEmpty else { return nil }
      self.blocks = blocks
      self.reach = reach
    }
  }

  /// The reach of every block that is not local.
  package var reach: Reach
  package var local: Local?
  /// How many numbers of a head are rotated; all of them if nil.
  package var rotaryWidth: Int?
  /// What scores are divided by the root of; a head's width if nil.
  package var scoreDivisor: Double?
  /// Whether a block's scores are divided by its number too, from 1.
  package var dividesByDepth: Bool
  /// Scores are capped by `cap · tanh(score / cap)`; not at all if nil.
  package var softCap: Float?

  package init(
    reach: Reach = Reach(), local: Local? = nil, rotaryWidth: Int? = nil,
    scoreDivisor: Double? = nil, dividesByDepth: Bool = false,
    softCap: Float? = nil
  ) {
    self.reach = reach
    self.local = local
    self.rotaryWidth = rotaryWidth
    self.scoreDivisor = scoreDivisor
    self.dividesByDepth = dividesByDepth
    self.softCap = softCap
  }

  func reach(layer: Int) -> Reach {
    local.flatMap { $0.blocks.contains(layer) ? $0.reach : nil } ?? reach
  }

  /// What scores of a block are multiplied by.
  func scale(layer: Int, headWidth: Int) -> Float {
    let depth: Float = dividesByDepth ? Float(layer + 1) : 1
    return 1 / Float(scoreDivisor ?? Double(headWidth)).squareRoot() / depth
  }

  /// The rotary positions that some block has.
  var rotaries: Set<RotaryPositions> {
    Set([reach.rotary, local?.reach.rotary].compactMap(\.self))
  }
}
