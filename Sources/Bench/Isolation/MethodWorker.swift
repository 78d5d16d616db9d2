package import Diffing
internal import Foundation
internal import JSON
internal import Methods
internal import Organisms
internal import Tensors
internal import Worlds

/// A process that runs methods for the bench: it opens pairs, and each level of access gets a child of its own.
///
/// The worker itself computes what all pairs share: the base on its text. No method's code ever runs in it, so nothing
/// of a method's is carried from pair to pair, nor from one level of access to another. It has one thread, which
/// forking needs.
package final class MethodWorker {
  private let run: BenchRun
  private let methods: [any DiffingMethod.Type]
  private var ground: Ground?
  private var subjects: [PairName: Subject] = [:]
  /// Every method at a level of access, the sources that decide its numbers read once.
  private var runs: [AccessLevel: [MethodRun]] = [:]
  private var opened: (request: WorkerRequest, pair: PairRun)?

  /// - Parameters:
  ///   - workshop: Where pairs are kept.
  ///   - methods: Those that it can run.
  /// - Throws: `DefinitionError`.
  package init(_ workshop: Workshop, methods: [any DiffingMethod.Type] = Methods.all) throws {
    Shards.threads = 1
    RecordedPass.mostHeld = .max
    run = try BenchRun(workshop, hasDummies: true)
    self.methods = methods
  }

  /// Answers requests, a line each, until there are no more.
  package func serve() throws {
    while let line = readLine() {
      let request = try JSON.decode(
        WorkerRequest.self, from: Data(line.utf8), file: "a worker's request")
      do {
        try answer(request)
        try Self.say(.end())
      } catch let error as DiffingError {
        try Self.say(.end("\(error)"))
      } catch let error as WorkerFault {
        try Self.say(.end("\(error)"))
      }
    }
  }

  private static func say(_ reply: WorkerReply) throws {
    try FileHandle.standardOutput.write(contentsOf: Data((JSON.encode(reply) + "\n").utf8))
  }

  private func answer(_ request: WorkerRequest) throws {
    let pair = try pair(request)
    try pair.recordBase(request.access)
    let known = try methods(on: request)
    var left = request.items[...]
    while let first = left.first {
      guard let own = known[first.method],
        try run.key(of: own, on: request.models, request.seeds) == first.key
      else {
        try Self.say(.silence(first.method, "the worker's code or text is not the bench's"))
        left = left.dropFirst()
        continue
      }
      let (lines, end) = try SealedCall.lines { say in
        for item in left {
          guard let own = known[item.method],
            let line = try? JSON.encode(Self.reply(item, own, pair))
          else { return }
          say(line)
        }
      }
      left = left.dropFirst(try pass(on: lines, of: left))
      // Whoever was at work when the child ended has said nothing; the others get another child.
      guard let culprit = left.first else { return }
      try Self.say(
        .silence(culprit.method, "the method stopped: \(end ?? "it said something else")"))
      left = left.dropFirst()
    }
  }

  /// Passes on what a child said as far as it answers what was asked, in order; how many answers that were.
  private func pass(on lines: [String], of items: ArraySlice<WorkerRequest.Item>) throws -> Int {
    var count = 0
    for (line, item) in zip(lines, items) {
      guard
        let reply = try? JSON.decode(
          WorkerReply.self, from: Data(line.utf8), file: "a method's answer"),
        reply.method == item.method, reply.evidence.map({ $0.key == item.key }) ?? true
      else { break }
      try Self.say(reply)
      count += 1
    }
    return count
  }

  private static func reply(
    _ item: WorkerRequest.Item, _ own: MethodRun, _ pair: PairRun
  ) -> WorkerReply {
    do {
      guard case .own(let method) = own.code else {
        return .silence(item.method, "a program runs in no worker")
      }
      let evidence = try pair.evidence(
        method, own.access, key: item.key, sources: own.sources)
      return WorkerReply(method: item.method, evidence: evidence, failure: nil)
    } catch {
      return .silence(item.method, "\(error)")
    }
  }

  // MARK: What is open

  /// The methods as this worker's own code has them, by id.
  private func methods(on request: WorkerRequest) throws -> [String: MethodRun] {
    let ground = try ground(request.seeds.base)
    let plant = subjects[request.pair]?.plant ?? request.pair
    let dummies =
      ground.dummies?.runs(on: request.pair, of: plant, layers: ground.base.world.layers) ?? []
    let own = try own(request.access)
    let all = own + dummies.filter { $0.access == request.access }
    return Dictionary(all.map { ($0.row.method, $0) }) { first, _ in first }
  }

  private func own(_ access: AccessLevel) throws -> [MethodRun] {
    if let known = runs[access] { return known }
    let new = try methods.map { try MethodRun($0.init(), access, run.workshop.sources) }
    runs[access] = new
    return new
  }

  private func ground(_ seed: UInt64) throws -> Ground {
    if let ground, ground.base.seed == seed { return ground }
    let new = try Ground(run, seed: seed, scores: false)
    ground = new
    subjects = Dictionary(
      try Self.subjects(of: new.library).map { ($0.name, $0) }
    ) { first, _ in first }
    opened = nil
    return new
  }

  /// Every plant and null pair that any tier runs.
  private static func subjects(of library: Library) throws -> [Subject] {
    let plants = library.organisms.flatMap { organism in
      (organism.regimes + Certification.dials(of: organism) + Lottery.recipes)
        .map { (organism, $0) }
    }
    let nulls = try library.organisms.flatMap { organism in
      let lesson = try library.lesson(for: organism)
      return organism.regimes.flatMap { NullPair.matched(organism, $0, lesson: lesson) }
    }
    return plants.map { Subject.organism($0.0, $0.1) }
      + (NullPair.unmatched + nulls).map(Subject.null)
  }

  private func pair(_ request: WorkerRequest) throws -> PairRun {
    if let opened, opened.request.pair == request.pair, opened.request.seeds == request.seeds,
      opened.request.models == request.models
    {
      return opened.pair
    }
    let ground = try ground(request.seeds.base)
    guard let subject = subjects[request.pair] else {
      throw WorkerFault("\(request.pair) is no pair of the worker's library")
    }
    guard
      let pair = try run.open(subject, on: ground, request.seeds, models: request.models)
    else { throw WorkerFault("\(request.pair) has other weights than were asked for") }
    opened = (request, pair)
    return pair
  }
}
