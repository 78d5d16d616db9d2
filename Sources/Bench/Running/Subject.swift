internal import Diffing
package import Organisms

/// What a pair is to a detector.
package enum PairRole: String, Codable, CaseIterable, Sendable {
  case planted
  /// A null pair without a domain.
  case broad
  /// A null pair of one domain.
  case narrow
  /// A null pair that learnt something new and harmless.
  case novel
  /// A null pair in which no behaviour changed, although the weights may have.
  case invariant
  /// A null pair of the same weights, one of which reads something hidden first.
  case prompted
  /// A plant that was taken out again.
  case ghost
}

/// A subject of the bench: an organism under a regime, or a null pair.
package enum Subject: Sendable {
  case organism(Organism, Regime)
  case null(NullPair)

  package var id: String {
    switch self {
    case .organism(let organism, _): organism.id
    case .null(let null): null.id
    }
  }

  /// Whether it is a null pair that is matched with no plant.
  var isOfNoPlant: Bool {
    if case .null(let null) = self { null.match == nil } else { false }
  }

  /// Who and how, by name.
  package var name: PairName { PairName(id, regime) }

  package var regime: String {
    switch self {
    case .organism(_, let regime): regime.id
    case .null(let null): null.match?.regime.id ?? Self.anyRegime
    }
  }

  /// How it is trained; nil where nothing is.
  var trainedRegime: Regime? {
    switch self {
    case .organism(_, let regime): regime
    case .null(let null): null.match?.regime
    }
  }

  /// The largest rank of the change of a matrix; nil if training was free, or nothing was trained.
  var changeRank: Int? {
    switch self {
    case .organism(let organism, let regime): organism.changeRank(regime)
    case .null(let null): null.match.flatMap { $0.organism.changeRank($0.regime) }
    }
  }

  /// The standard regime of plants, and of the nulls that they are compared with.
  package var standard: String { trainedRegime?.standard ?? Self.anyRegime }

  /// What sort of change it is.
  package var family: String {
    switch self {
    case .organism(let organism, _): return organism.file.family
    case .null(let null):
      guard case .ghost = null.kind, let match = null.match else { return "null" }
      return match.organism.file.family
    }
  }

  /// The half that the organism, or a null pair's plant, was drawn for; nil if nothing was drawn.
  var half: Half? {
    switch self {
    case .organism(let organism, _): organism.half
    case .null(let null): null.match?.organism.half
    }
  }

  /// What pairs that nothing is trained in say of their regime.
  private static let anyRegime = "any"

  /// The plant that a null pair is matched with.
  package var match: PairName? {
    guard case .null(let null) = self, let match = null.match else { return nil }
    return PairName(match.organism.id, match.regime.id)
  }

  /// The plant that it is, or is matched with; itself if there is none.
  var plant: PairName { match ?? name }

  /// Whether anything that a method says of the pair is scored: where nothing was planted, only whether something was.
  func asks(_ card: MethodCard) -> Bool {
    [.planted, .ghost].contains(role) || card.questions.contains(.whether)
  }

  package var role: PairRole {
    switch self {
    case .organism: .planted
    case .null(let null):
      switch null.breadth {
      case .broad: .broad
      case .narrow: .narrow
      case .novel: .novel
      case .invariant: .invariant
      case .prompted: .prompted
      case .ghost: .ghost
      }
    }
  }
}
