internal import Diffing
internal import Transformers

/// A run of questions, with what they led to so far.
struct Inquiry<Asked: Witness> {
  private let witness: Asked
  private let hearsOnly, notesSteps: Bool
  /// Prompts that methods name, the first first, and all in an order that visits every part of the pool soon; of
  /// prompts that read the same, one.
  private let named: [Int], spread: [Int]
  private let namesTokens, namesModules: Bool
  private var belief: Belief
  private var sites: SiteBelief
  private var answers: [Int: WitnessAnswer] = [:]
  /// What the test is worth; nil if nothing was tested.
  private(set) var strength: Double?
  private(set) var steps: [Investigator.Step] = []

  init(_ evidence: [Evidence], _ witness: Asked, hearsOnly: Bool, notesSteps: Bool) {
    self.witness = witness
    self.hearsOnly = hearsOnly
    self.notesSteps = notesSteps
    let rows = witness.prompts.indices
    let firsts = Dictionary(zip(witness.prompts, rows)) { first, _ in first }
    func first(_ row: Int) -> Int? { firsts[witness.prompts[row]] }
    named = Self.byTurns(
      evidence.map { ($0.inputs ?? []).map(\.row).filter(rows.contains).compactMap(first) })
    spread = Self.spread(rows.count).filter { first($0) == $0 }
    let tokens = evidence.map {
      ($0.tokens ?? []).map { claim in
        Belief.Hypothesis(token: claim.token, sign: claim.sign)
      }
    }
    let modules = evidence.map { ($0.sites ?? []).map(\.site) }
    namesTokens = tokens.contains { !$0.isEmpty }
    namesModules = modules.contains { !$0.isEmpty }
    belief = Belief(candidates: witness.candidates, claims: tokens)
    sites = SiteBelief(modules: witness.modules, claims: modules)
  }

  /// The first rows of each list, the second rows, and so on; none twice.
  private static func byTurns(_ lists: [[Int]]) -> [Int] {
    var seen: Set<Int> = []
    return (0..<(lists.map(\.count).max() ?? 0)).flatMap { place in
      lists.filter { place < $0.count }.map { $0[place] }
    }.filter { seen.insert($0).inserted }
  }

  /// Rows by their reversed bits: 0, 1/2, 1/4, 3/4 of the way, and so on.
  private static func spread(_ count: Int) -> [Int] {
    let bits = Int.bitWidth - max(0, count - 1).leadingZeroBitCount
    return (0..<(1 << bits)).map { place in
      (0..<bits).reduce(0) { $0 | ((place >> $1) & 1) << (bits - 1 - $1) }
    }.filter { $0 < count }
  }

  /// What is likeliest to be planted, if anything is; nil if nobody said anything and no token moved.
  var leading: Belief.Hypothesis? {
    belief.likeliest.flatMap { likeliest in
      namesTokens || answers.values.contains { $0.gain(of: likeliest) > 0 } ? likeliest : nil
    }
  }

  /// The module that the change is likeliest in; nil if no method names one and none is likelier than all others together.
  var likeliestModule: ModuleSite? {
    sites.ranked.first.flatMap { namesModules || $0.probability > 0.5 ? $0.module : nil }
  }

  var firstNamedRow: Int? { named.first }

  /// How many prompts can be explored: as many are left to test on.
  var explorable: Int { spread.count / 2 }

  // MARK: Asking

  /// Asks prompts that the methods name, one more than a half, and others from all over.
  mutating func explore(_ count: Int) throws {
    let first = named.prefix(count / 2 + 1)
    let order = first + spread.filter { !first.contains($0) }
    for row in order.prefix(count) {
      let answer = try ask(row)
      belief.update(answer)
      note(.explore, question(row), answer, leading)
    }
  }

  /// Asks prompts that were not asked before, those first that are most like the one where the token gained most.
  mutating func test(_ hypothesis: Belief.Hypothesis, _ count: Int) throws {
    let near = strongestRow(hypothesis).map { Set(witness.prompts[$0]) } ?? []
    let free = spread.filter { answers[$0] == nil }
    let likeness = free.map { Self.likeness(near, Set(witness.prompts[$0])) }
    let order = free.indices.sorted { (likeness[$0], $1) > (likeness[$1], $0) }
    for index in order.prefix(count) {
      let answer = try ask(free[index])
      strength = (strength ?? 0) + Belief.worth(answer, to: hypothesis)
      belief.update(answer)
      note(.test, question(free[index]), answer, hypothesis)
    }
  }

  /// Exchanges modules on the prompt where the token gained most, the likeliest module first.
  mutating func place(_ hypothesis: Belief.Hypothesis, _ count: Int) throws {
    guard let row = strongestRow(hypothesis), gain(hypothesis, row) > 0 else { return }
    for share in sites.ranked.prefix(count) {
      let question = WitnessQuestion.exchange(row: row, module: share.module)
      let answer = try witness.answer(question)
      let whole = max(gain(hypothesis, row), Float(Belief.scale))
      let brought = min(max(0, answer.gain(of: hypothesis) / whole), 1)
      sites.update(share.module, bringing: Double(brought))
      note(.place, question, answer, hypothesis)
    }
  }

  /// The share of words that two prompts have in common.
  private static func likeness(_ a: Set<Int>, _ b: Set<Int>) -> Double {
    let all = a.union(b).count
    return all == 0 ? 0 : Double(a.intersection(b).count) / Double(all)
  }

  /// The prompt, of those that were asked, at which a token gained most.
  func strongestRow(_ hypothesis: Belief.Hypothesis) -> Int? {
    answers.keys.sorted().max { gain(hypothesis, $0) < gain(hypothesis, $1) }
  }

  private func gain(_ hypothesis: Belief.Hypothesis, _ row: Int) -> Float {
    answers[row]?.gain(of: hypothesis) ?? 0
  }

  private func question(_ row: Int) -> WitnessQuestion {
    hearsOnly ? .say(row: row) : .next(row: row)
  }

  private mutating func ask(_ row: Int) throws -> WitnessAnswer {
    let answer = try witness.answer(question(row))
    answers[row] = answer
    return answer
  }

  private mutating func note(
    _ purpose: Investigator.Step.Purpose, _ question: WitnessQuestion, _ answer: WitnessAnswer,
    _ hypothesis: Belief.Hypothesis?
  ) {
    guard notesSteps else { return }
    steps.append(
      .init(
        purpose: purpose, question: question, hypothesis: hypothesis,
        gain: hypothesis.map { answer.gain(of: $0) } ?? 0, best: belief.best(3),
        nothing: belief.probabilityOfNothing))
  }
}
