/// What a method claims about a pair: five optional answers, and exhibits for people.
///
/// Nil means that the method does not say. A method that could answer but found nothing leaves the
/// answer nil too: it never presents noise as a ranking.
public struct Evidence: Equatable, Sendable {
  /// *Whether*: a number that grows with the change.
  public var magnitude: Double?
  /// *What*: tokens, the strongest claim first within each sign.
  public var tokens: [TokenClaim]?
  /// *When*: prompts of the pool, the strongest claim first.
  public var inputs: [InputClaim]?
  /// *Where*: modules, the strongest claim first.
  public var sites: [SiteClaim]?
  /// *How*: interventions that should bring the behaviour about, and whose reversal should end it.
  public var interventions: [ProposedIntervention]?
  /// What the method saw, for people.
  public var exhibits: [Exhibit] = []

  /// Nothing found.
  public init() {}

  /// Whether every claim's number is finite.
  public var isFinite: Bool {
    magnitude?.isFinite ?? true && tokens?.allSatisfy(\.score.isFinite) ?? true
      && inputs?.allSatisfy(\.score.isFinite) ?? true
      && sites?.allSatisfy(\.score.isFinite) ?? true
      && interventions?.allSatisfy(\.isFinite) ?? true
  }

  /// Whether no question is answered.
  public var isEmpty: Bool {
    magnitude == nil && tokens == nil && inputs == nil && sites == nil && interventions == nil
  }
}
