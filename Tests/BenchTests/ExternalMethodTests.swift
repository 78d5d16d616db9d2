import Diffing
import Foundation
import Organisms
import Synchronization
import TestSupport
import Testing
import Transformers
import Worlds

@testable import Bench

/// People's programs as methods.
@Suite("Programs of people's own")
struct ExternalMethodTests {
  // MARK: Definitions

  @Test("a definition is a name, levels and a command")
  func definition() throws {
    let method = try ExternalMethod("my-diff@weights,pool=python3 a.py --x=1 {base} {out}")
    #expect(method.card.id == "my-diff" && method.card.access == [.weights, .pool])
    #expect(method.command == "python3 a.py --x=1 {base} {out}" && !method.staysUp)
    let other = try ExternalMethod("other=./serve")
    #expect(other.card.access == [.pool] && other.staysUp)
  }

  @Test(
    "what is wrong with a definition is said",
    arguments: [
      ("cat {out}", "has no '='"), ("=cat {out}", "is no name"), ("My=cat {out}", "is no name"),
      ("a b=cat {out}", "is no name"), ("weight-norm=cat {out}", "of Assay's own"),
      ("my-dummy=cat {out}", "of Assay's own"), ("a= ", "empty"), ("a=cat {base}", "not {out}"),
      ("a@=cat {out}", "no level of access"), ("a@weight=cat {out}", "no level of access"),
      ("a@pool,pool=cat {out}", "twice"), ("a=cat {basee} {out}", "Did you mean '{base}'"),
    ])
  func faults(definition: String, says: String) {
    let error = #expect(throws: ExternalMethod.Fault.self) { try ExternalMethod(definition) }
    #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
  }

  @Test("a change of a file that the command names is a change of the method")
  func contents() throws {
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "method.sh")
      func digest(_ text: String) throws -> String {
        try Data(text.utf8).write(to: file)
        return try ExternalMethod("mine=sh '\(file.path)' {out}").contents
      }
      let first = try digest("echo 1")
      #expect(try digest("echo 2") != first)
      #expect(try digest("echo 1") == first)
      #expect(try ExternalMethod("mine=sh '\(file.path)' {out} 2").contents != first)
    }
  }

  // MARK: One program a pair

  /// Two small models that differ, and a few prompts.
  private static func pair(_ access: AccessLevel = .pool, same: Bool = false) throws -> ExternalPair
  {
    let world = try Project(root: Fixtures.repository).library().world
    let text = TokenBatch([[1, 2, 3], [4, 5, 6]])
    return ExternalPair(
      base: TinyModels.llama(), finetuned: TinyModels.llama(seed: same ? 1 : 2), world: world,
      prompts: PromptSet(
        access: access, text: text, documentStart: 1, specialTokens: [0]), seed: 7)
  }

  private static func pool(seconds: Double = 20, memory: Int = 1 << 30) throws -> ProgramPool {
    ProgramPool(
      supervisor: try #require(Fixtures.program("assay")),
      limits: ProgramLimits(seconds: seconds, memory: memory))
  }

  private func evidence(_ command: String, _ access: AccessLevel = .pool, seconds: Double = 20)
    throws -> Evidence
  {
    try Self.pool(seconds: seconds)
      .answer(of: ExternalMethod("mine=\(command)"), on: Self.pair(access)).evidence
  }

  @Test("it is given both models, prompts and a seed, and what it writes is its evidence")
  func answer() throws {
    let command = """
      test -s {base}/config.json && test -s {finetuned}/tokenizer.json && \
      cmp -s {base}/config.json {finetuned}/config.json && \
      ! cmp -s {base}/model.safetensors {finetuned}/model.safetensors && \
      grep -q '"access": "pool"' {prompts} && test {seed} = 7 && \
      printf '{"magnitude": 2, "inputs": [{"row": 1, "score": 3}]}' > {out}
      """
    let answer = try Self.pool().answer(of: ExternalMethod("mine=\(command)"), on: Self.pair())
    #expect(answer.evidence.magnitude == 2 && answer.evidence.inputs?.first?.row == 1)
    #expect(answer.cost.seconds > 0 && answer.cost.peakMemory > 0)
  }

  @Test("of the same weights nobody is asked")
  func same() throws {
    let answer = try Self.pool().answer(
      of: ExternalMethod("mine=exit 3 {out}"), on: Self.pair(same: true))
    #expect(answer.evidence.isEmpty)
  }

  @Test("no path says what a pair is, and nothing is left of it")
  func paths() throws {
    try Fixtures.withTemporaryFolder { folder in
      let list = folder.appending(path: "paths")
      let command = "echo {base} {finetuned} {prompts} {out} > '\(list.path)'; echo '{}' > {out}"
      _ = try evidence(command)
      let paths = try String(contentsOf: list, encoding: .utf8).split(separator: " ").map(
        String.init)
      #expect(paths.count == 4)
      for path in paths {
        let url = URL(filePath: path.trimmingCharacters(in: .newlines))
        let name = url.deletingLastPathComponent().lastPathComponent
        #expect(name.wholeMatch(of: /\.assay-partial-[0-9A-F-]{36}/) != nil, "\(path)")
        #expect(!FileManager.default.fileExists(atPath: url.deletingLastPathComponent().path))
      }
    }
  }

  @Test(
    "what a program does wrong is said",
    arguments: [
      ("echo oh no >&2; exit 3 {out}", "code 3 (it printed: oh no)"),
      ("true {out}", "wrote no evidence"),
      ("no-such-program {out}", "is not found"), ("kill -9 $$ {out}", "signal 9"),
      ("echo nonsense > {out}", "its evidence:1"),
      ("echo '{\"token\": []}' > {out}", "Did you mean 'tokens'"),
      ("echo '{\"magnitude\": 1e999}' > {out}", "its evidence"),
      (
        "echo '{\"tokens\": [{\"token\": 99, \"score\": 1, \"sign\": 1}]}' > {out}",
        "outside the vocabulary"
      ),
      ("echo '{\"inputs\": [{\"row\": 2, \"score\": 1}]}' > {out}", "row 2 of 2"),
      (
        "echo '{\"sites\": [{\"site\": \"blocks.9.mlp\", \"score\": 1}]}' > {out}",
        "names blocks.9.mlp"
      ),
      ("head -c 1500000000 /dev/zero | tail -c 1400000000 > /dev/null; exit 1 {out}", "code 1"),
    ])
  func failures(command: String, says: String) throws {
    let error = #expect(throws: ProgramFault.self) { try evidence(command) }
    #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
  }

  @Test(
    "an intervention that fits no part of the models is no evidence",
    arguments: [
      (#"{"steer": {"layer": 2, "direction": [1]}}"#, "block 2 of 2"),
      (#"{"project": {"layer": 0, "direction": [1]}}"#, "1 numbers, the stream 12"),
      (#"{"patch": "blocks.2.mlp"}"#, "blocks.2.mlp"),
      (#"{"weights": [{"tensor": "none", "ofFinetune": 1}]}"#, "no tensor 'none'"),
      (
        #"{"weights": [{"tensor": "model.norm.weight", "dense": [1]}]}"#, "does not fit its shape"
      ),
      (
        #"{"weights": [{"tensor": "model.norm.weight", "indices": [99], "values": [1]}]}"#,
        "does not fit its shape"
      ),
    ])
  func interventions(proposal: String, says: String) throws {
    let error = #expect(throws: ProgramFault.self) {
      try evidence(#"echo '{"interventions": [\#(proposal)]}' > {out}"#)
    }
    #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    let fits = #"{"weights": [{"tensor": "model.norm.weight", "indices": [3], "values": [1]}]}"#
    #expect(
      try evidence(#"echo '{"interventions": [\#(fits)]}' > "{out}""#).interventions?.count == 1)
  }

  @Test(
    "what is no file is no evidence",
    arguments: ["mkdir {out}", "mkfifo {out}", "ln -s /dev/zero {out}"])
  func noFile(command: String) throws {
    let error = #expect(throws: ProgramFault.self) { try evidence(command) }
    #expect(error?.description == "{out} is no file")
  }

  @Test("prompts are ranked where there are prompts")
  func rankedPrompts() throws {
    let command = "echo '{\"inputs\": [{\"row\": 1, \"score\": 1}]}' > {out}"
    #expect(try evidence(command).inputs?.count == 1)
    #expect(throws: ProgramFault.self) { try evidence(command, .unrelated) }
  }

  // MARK: Limits

  /// A word that no other process has among its own.
  private let mark = "assay-mark-\(UUID().uuidString)"

  /// How many processes run that have a word among theirs.
  private func running(_ word: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").count { process in
      let text = try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)
      return Int(process) != nil && text?.contains(word) == true
    }
  }

  @Test("one that hangs is ended when its time is over, and with it what it started")
  func hanging() throws {
    let started = Date()
    let error = #expect(throws: ProgramFault.self) {
      try evidence("sh -c 'sleep 300; :' \(mark) & sleep 300; : {out}", seconds: 1)
    }
    #expect(error?.description.contains("not done") == true && started.timeIntervalSinceNow > -60)
    #expect(try running(mark) == 0)
  }

  @Test("what a program leaves behind is ended, also out of its session")
  func leftovers() throws {
    let sleep = "sh -c 'sleep 300; :' \(mark)"
    let answer = try evidence(
      "setsid \(sleep) & (\(sleep) &); sleep 0.3; grep -l \(mark) /proc/*/cmdline | wc -l "
        + "| sed 's/.*/{\"magnitude\": &}/' > {out}")
    // It had started both, and then was done.
    #expect((answer.magnitude ?? 0) >= 2)
    #expect(try running(mark) == 0)
  }

  @Test("whoever started it can neither be ended nor stopped by it")
  func attackingSupervisor() throws {
    for signal in ["KILL", "STOP"] {
      #expect(try evidence("kill -\(signal) $PPID; echo '{}' > {out}").isEmpty)
    }
  }

  @Test("one that starts processes without end is ended with all of them")
  func bomb() throws {
    let error = #expect(throws: ProgramFault.self) {
      try evidence(
        "f() { setsid sh -c 'sleep 300; :' \(mark) & sleep 0.02; f; }; f & f {out}", seconds: 1)
    }
    #expect(error?.description.contains("not done") == true, "\(error?.description ?? "")")
    #expect(try running(mark) == 0)
  }

  @Test("one that prints without end is ended, and its last lines are told")
  func flooding() throws {
    let error = #expect(throws: ProgramFault.self) { try evidence("yes flood {out}", seconds: 0.5) }
    #expect(
      error?.description.contains("not done after 0 s (it printed: flood") == true,
      "\(error?.description ?? "")")
  }

  // MARK: Programs that stay up

  /// A program that answers each question with a word's worth of shell.
  private func serving(_ answer: String, in folder: URL) throws -> ExternalMethod {
    let file = folder.appending(path: "serve.sh")
    try Data(
      """
      echo $$ >> '\(folder.path)/started'
      while read line; do
        out=$(printf '%s' "$line" | sed 's/.*"out": *"\\([^"]*\\)".*/\\1/')
        \(answer)
      done
      """.utf8
    ).write(to: file)
    return try ExternalMethod("mine=sh '\(file.path)'")
  }

  private func starts(_ folder: URL) throws -> [Int32] {
    try String(contentsOf: folder.appending(path: "started"), encoding: .utf8)
      .split(separator: "\n").compactMap { Int32($0) }
  }

  @Test("it is started once for many pairs, and ends with the run")
  func stayingUp() throws {
    try Fixtures.withTemporaryFolder { folder in
      let method = try serving(
        "echo '{\"magnitude\": 5}' > \"$out\"; echo '{\"done\": true}'", in: folder)
      do {
        let pool = try Self.pool(), pair = try Self.pair()
        for _ in 0..<3 {
          #expect(try pool.answer(of: method, on: pair).evidence.magnitude == 5)
        }
      }
      #expect(try starts(folder).count == 1)
      #expect(try running(folder.lastPathComponent) == 0)
    }
  }

  @Test(
    "what one that stays up does wrong is said, and another is started",
    arguments: [
      ("echo '{\"error\": \"too large\"}'", "it says: too large"),
      ("echo done", "it answered 'done'"),
      ("echo '{\"done\": false}'", "instead of"), ("exit 4", "code 4"),
      ("exec >&-; sleep 300", "not done after 2 s"),
      ("sleep 300", "not done after 2 s"), ("yes | tr -d '\\n'", "no line"),
      ("echo '{\"done\": true}'", "wrote no evidence"),
      ("echo '{}' > \"$out\"; echo '{\"done\": true, \"more\": 1}'", "instead of"),
    ])
  func failingWhileUp(answer: String, says: String) throws {
    try Fixtures.withTemporaryFolder { folder in
      let method = try serving(answer, in: folder)
      let pool = try Self.pool(seconds: 2), pair = try Self.pair()
      for _ in 0..<2 {
        let error = #expect(throws: ProgramFault.self) { try pool.answer(of: method, on: pair) }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
      }
      #expect(try starts(folder).count == 2)
    }
  }

  @Test("an answer that nobody asked for is no answer to the next question")
  func surplusAnswers() throws {
    try Fixtures.withTemporaryFolder { folder in
      let method = try serving(
        "echo '{}' > \"$out\"; echo '{\"done\": true}'; echo '{\"done\": true}'", in: folder)
      let pool = try Self.pool(), pair = try Self.pair()
      #expect(try pool.answer(of: method, on: pair).evidence.isEmpty)
      usleep(200_000)
      let error = #expect(throws: ProgramFault.self) { try pool.answer(of: method, on: pair) }
      #expect(error?.description.contains("before it was asked") == true)
      #expect(try pool.answer(of: method, on: pair).evidence.isEmpty)
    }
  }

  @Test("words of a command are told apart as a shell does")
  func shellWords() {
    #expect(
      ShellWords.all(of: #"cd 'a b'; sh "c d.sh" --x=e|f {out} > g"#)
        == ["cd", "a b", "sh", "c d.sh", "--x", "e", "f", "{out}", "g"])
    #expect(ShellWords.file("sh") != nil)
    #expect(ShellWords.file("no-such-file-anywhere") == nil)
  }

  // MARK: In the bench

  @Test("it is scored beside the others, and what fails costs them nothing")
  func scored() throws {
    try Fixtures.withCheckout { folder in
      let workshop = try Workshop(Project(root: folder))
      let script = Fixtures.url("programs/bytes_changed.sh").path
      let programs = try [
        "bytes-changed@weights=sh '\(script)' {base} {finetuned} {out}", "failing=exit 1 {out}",
      ].map { try ExternalMethod($0) }
      let grid = try Grid(
        workshop.library, tier: .smoke, organisms: ["edited-capital"],
        methods: ["weight-norm", "bytes-changed", "failing"], programs: programs)
      let told = Mutex<[String]>([])
      func trials(_ pool: ProgramPool?) throws -> [Trial] {
        try BenchRun(workshop, programs: pool).run(grid, jobs: 2) { event in
          if case .failed(let failure) = event { told.withLock { $0.append(failure.text) } }
        }
      }
      let first = try trials(try Self.pool())
      #expect(first.count == grid.trialCount)
      let plant = first.filter { $0.role == .planted }
      // An edit of one matrix moves every number of it or none, and the rest not at all.
      #expect(plant.count == 3 && (plant[1].magnitude ?? 0) > 100 && plant[2].magnitude == nil)
      #expect(told.withLock { $0.allSatisfy { $0.contains("failing@pool") } && !$0.isEmpty })
      // What was said is kept: without a pool nobody can be asked.
      let again = try trials(nil)
      #expect(again.map(\.magnitude) == first.map(\.magnitude))
    }
  }
}
