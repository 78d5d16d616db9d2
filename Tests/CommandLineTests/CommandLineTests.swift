import Foundation
import JSON
import TestSupport
import Testing

/// The command line: exit codes, what goes to which stream, and what is said.
@Suite("The command line", .serialized)
struct CommandLineTests {
  @Test(
    "a mistake ends with code 2, its reason and the nearest name on standard error, nothing on standard output",
    arguments: [
      (["bnch"], "There is no command 'bnch'. Did you mean 'bench'?"),
      (
        ["bench", "--organism", "dish-fact"],
        "There is no organism 'dish-fact'. Did you mean 'dish-facts'?"
      ),
      (["bench", "--method", "weight-nrom"], "Did you mean 'weight-norm'?"),
      (["bench", "--tier", "standart"], "standart"),
      (["bench", "--jobs", "0"], "--jobs should be at least 1."),
      (["plant", "dish-facts", "--regime", "frsh"], "Did you mean 'fresh'?"),
      (["plant"], "Name an organism"),
      (["plant", "dish-facts", "--all"], "--all, --no-dials and --no-controls need --report."),
      (["show", "weight-norm@wieghts", "dish-facts"], "it works from weights"),
      (["show", "dish-facts", "taboo-object"], "one method and one organism"),
      (["show", "dish-fatcs"], "Did you mean 'dish-facts'?"),
      (["list", "facts", "kenia"], "Did you mean 'kenya'?"),
      (["diff", "/no/such/folder"], "'base, and finetuned or adapter"),
      (["diff", "/no/base", "/no/finetuned"], "there is no such folder"),
      (["diff"], "Name two folders, or two endpoints."),
      (
        ["diff", "--endpoint", "base=http://127.0.0.1:1/v1,m"],
        "once for base and once for finetuned"
      ),
      (
        ["diff", "a", "--endpoint", "base=http://a/v1,m", "--endpoint", "finetuned=http://a/v1,m"],
        "--endpoint goes without folders"
      ),
      (
        [
          "diff", "--method", "weight-norm", "--endpoint", "base=http://a/v1,m", "--endpoint",
          "finetuned=http://a/v1,m",
        ], "from endpoints these work: prompt-battery, two-sample-test"
      ),
      (["diff", "a", "b", "--transcript", "t"], "--transcript is for --endpoint."),
      (["diff", "a", "b", "--set", "grafting.gaol=1"], "Did you mean 'goal'?"),
      (["diff", "a", "b", "--method", "itda", "--set", "grafting.goal=1"], "not among the chosen"),
      (["diff", "a", "b", "--weights", "--set", "grafting.goal=1"], "--weights takes two folders"),
      (["investigate"], "Name two folders, or one of a pair."),
      (["investigate", "a", "b", "--budget", "1001"], "--budget should be from 0 to 1000."),
      (
        ["investigate", "a", "b", "--level", "0"], "--level should be at least 0.0001 and below 1."
      ),
      (["investigate", "a", "b", "--samples", "--method", "itda"], "for the models alone"),
      (["investigate", "a", "b", "--among", "c", "--null", "d"], "--among goes without --null"),
      (["investigate", "a", "b", "--agent", "http://a/v1"], "the model is missing"),
      (["investigate", "a", "b", "--transcript", "t"], "--transcript is for --agent."),
      (["game", "/no/such/run.jsonl"], "cannot be read"),
      (["play", "a", "--knowing", "itda"], "'itda' is no METHOD@ACCESS"),
      (["export", "/no/such/folder", "--out", "/tmp"], "something else is there already"),
      (["completions", "tcsh"], "bash"),
      (["logits", "Fixtures/bases/hearth-0", "--tokens", "1 x"], "'x' is no token id."),
      (["new", "organism", "Not A Name"], "lowercase letters"),
      (
        ["plan", "/no/such/run.jsonl"], "/no/such/run.jsonl: cannot be read. './assay bench' writes"
      ),
      (["rates", "--question", "wat"], "Did you mean 'what'?"),
      (["plan", "--gap", "0"], "--gap has to be above 0."),
      (["report", "Fixtures/orderings.json"], "orderings.json:1: is no line of a run"),
      (["compare", "/no/a.jsonl", "/no/b.jsonl"], "/no/a.jsonl: cannot be read."),
      (["compare", "/no/a.json", "/no/b.jsonl"], "One is a ledger (.json), the other a run"),
      (["gate", "--repeat", "0"], "--repeat should be from 1 to 1000."),
      (["gate", "--method", "weight-nrom"], "Did you mean 'weight-norm'?"),
      (["gate", "--draw-seed", "5"], "leave out --library, --draw-seed and --base-size"),
    ])
  func mistakes(words: [String], reason: String) throws {
    let answer = try run(words)
    #expect(answer.code == 2, "\(answer.errors)")
    #expect(answer.output.isEmpty)
    #expect(answer.errors.contains(reason), "\(answer.errors)")
  }

  @Test("the manual page has every command, and what people see of them alone")
  func manual() throws {
    let page = try run(["manual"]).output
    #expect(page.hasPrefix(".TH ASSAY 1"))
    for command in ["bench", "diff", "export", "itda train", "new organism"] {
      #expect(page.contains(".SS assay \(command)\n"), "\(command)")
    }
    #expect(!page.contains(".SS assay worker") && !page.contains(".SS assay supervise"))
    #expect(page.utf8.count == page.unicodeScalars.count)
  }

  @Test("what completes commands is a script of the shell", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) throws {
    let script = try run(["completions", shell])
    #expect(script.code == 0 && script.output.contains("bench"))
  }

  @Test("a gate that has nothing to judge ends with code 3, and says why in what it writes")
  func gateWithoutARun() throws {
    try Fixtures.withTemporaryFolder { folder in
      let cut = folder.appending(path: "cut.jsonl"), ledger = folder.appending(path: "ledger.json")
      try Data("{\"key\":\"a\",\"met".utf8).write(to: cut)
      let text = try String(contentsOf: Fixtures.url("ledger.json"), encoding: .utf8)
      try Data(text.replacing("\"low\": 1.0", with: "\"low\": 0.1").utf8).write(to: ledger)
      for (words, reason) in [
        (["--trials", cut.path], "is no line of a run"),
        (["--trials", "/no/run.jsonl"], "cannot be read"),
        (["--against", ledger.path], "its digest is not that of its lines"),
        (["--against", folder.path], "cannot be read"),
        (["--organism", "dish-facts"], "the ledger has nothing of the organism"),
      ] {
        let answer = try Tool.run("gate", words[0], words[1], "--out", folder.path)
        #expect(answer.code == 3, "\(words): \(answer.output)\(answer.errors)")
        let page = try String(contentsOf: folder.appending(path: "gate.md"), encoding: .utf8)
        #expect(page.contains("The gate cannot tell") && page.contains(reason), "\(words): \(page)")
      }
    }
  }

  @Test("no result of a gate takes the place of what it reads, or of what is no result")
  func gateKeepsFiles() throws {
    try Fixtures.withTemporaryFolder { folder in
      let kept = folder.appending(path: "kept"), run = folder.appending(path: "gate.jsonl")
      try FileManager.default.createDirectory(at: kept, withIntermediateDirectories: true)
      let inside = kept.appending(path: "file")
      for url in [inside, run] { try Data("{\"key\":\"a\"}".utf8).write(to: url) }
      for words in [
        ["--sarif", kept.path], ["--sarif", ""], ["--trials", run.path],
        ["--sarif", folder.appending(path: "gate.json").path], ["--against", run.path],
      ] {
        let answer = try Tool.run("gate", words[0], words[1], "--out", folder.path)
        #expect(answer.code == 2, "\(words): \(answer.output)\(answer.errors)")
        for url in [inside, run] {
          #expect(try Data(contentsOf: url).count == 11, "\(words) \(url.path)")
        }
      }
    }
  }

  private func run(_ words: [String]) throws -> Tool.Answer {
    try Tool.run(words)
  }

  @Test(
    "lists are on standard output, in lines of 100 characters",
    arguments: [
      ("organisms", "dish-facts"), ("methods", "activation-difference-lens"),
      ("regimes", "settled"), ("worlds", "hearth"), ("kinds", "recipes"), ("classes", "animal"),
      ("facts", "kenya"), ("prompts", "favorite animal"),
    ])
  func lists(noun: String, known: String) throws {
    let answer = try Tool.run("list", noun)
    #expect(answer.code == 0 && answer.errors.isEmpty)
    #expect(answer.output.contains(known), "\(answer.output.prefix(300))")
    let widest = answer.output.split(separator: "\n").map(\.count).max() ?? 0
    #expect(widest <= 100)
  }

  @Test("standard output that is lost is no success, and standard error that is lost is no crash")
  func lostStreams() throws {
    for words in ["methods", "prompts"] {
      let answer = try Tool.run(["list", words], output: "/dev/full")
      #expect(answer.code == 2 && answer.errors.contains("standard output"), "\(answer.errors)")
    }
    for word in ["--help", "--version"] {
      #expect(try Tool.run([word], output: "/dev/full").code == 2)
    }
    #expect(try Tool.run(["bnch"], errors: "/dev/full").code == 2)
  }

  @Test("a file that Assay did not write is not replaced, and is told before the work")
  func foreignReport() throws {
    try Fixtures.withTemporaryFolder { folder in
      let notes = folder.appending(path: "smoke-part.md")
      try Data("my notes".utf8).write(to: notes)
      let answer = try Tool.run("bench", "--organism", "dish-facts", "--out", folder.path)
      #expect(answer.code == 2 && answer.errors.contains("smoke-part.md"), "\(answer.errors)")
      #expect(try String(contentsOf: notes, encoding: .utf8) == "my notes")
    }
  }

  @Test("what a file says does not act on the terminal")
  func escapes() throws {
    let answer = try Tool.run("diff", "/no/\u{1B}[31mred\u{202E}", "/no/other")
    #expect(
      answer.code == 2 && answer.errors.contains("\\u{1B}[31mred\\u{202E}"), "\(answer.errors)")
  }

  @Test("a method tells what its figure is and what it is counted in, a comparison in what")
  func units() throws {
    let answer = try Tool.run("list", "methods", "output-divergence")
    #expect(answer.code == 0 && answer.output.contains("Jensen-Shannon"))
    #expect(try Tool.run("list", "methods", "sampilng").errors.contains("'sampling'"))
    let base = "Fixtures/bases/hearth-0"
    let folder = Fixtures.repository.appending(path: base).path
    let other = Fixtures.repository.appending(path: "Fixtures/bases/hearth-1").path
    let diff = try Tool.run("diff", folder, other, "--method", "output-divergence", "--top", "2")
    #expect(diff.code == 0, "\(diff.errors)")
    let whether = diff.output.split(separator: "\n").first { $0.contains("whether:") }
    #expect(whether?.contains(" nats (not calibrated") == true, "\(diff.output.prefix(400))")
    let when = diff.output.split(separator: "\n").first { $0.contains("<bos>") }
    #expect(when != nil, "the text of the rows that 'when' names")
  }

  @Test(
    "a magnitude is compared with finetunes that are made for it, at the levels that are chosen")
  func calibrated() throws {
    let folders = [0, 1].map {
      Fixtures.repository.appending(path: "Fixtures/bases/hearth-\($0)").path
    }
    let chosen = ["--method", "output-divergence", "--access", "unrelated"]
    let answer = try Tool.run(["diff"] + folders + chosen + ["--calibrate", "2"])
    #expect(answer.code == 0, "\(answer.errors)")
    #expect(answer.output.contains(" of 2 nulls, p = "), "\(answer.output)")
    // Training on one text does not get as far as another base is.
    #expect(answer.errors.contains("times as large"), "\(answer.errors)")
    #expect(!answer.output.contains("(pool)"))
    let wrong = try Tool.run(["diff"] + folders + ["--access", "prompts"])
    #expect(wrong.code != 0 && wrong.errors.contains("unrelated"), "\(wrong.errors)")
    #expect(try Tool.run(["diff"] + folders + ["--calibrate", "-1"]).code != 0)
  }

  @Test("an investigator asks what it may, and says how it could be known how often it is wrong")
  func investigated() throws {
    let folders = [0, 1].map {
      Fixtures.repository.appending(path: "Fixtures/bases/hearth-\($0)").path
    }
    let text = try Tool.run(["investigate"] + folders + ["--budget", "6"])
    #expect(text.code == 0, "\(text.errors)")
    #expect(text.output.contains("1 explore") && text.output.contains("4 test"))
    #expect(text.output.contains("No verdict. The hypothesis: '"), "\(text.output)")
    #expect(text.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
    let json = try Tool.run(
      ["investigate"] + folders
        + ["--budget", "6", "--method", "output-divergence@pool", "--calibrate", "1", "--json"])
    let found = try JSON.parse(Data(json.output.utf8), file: "standard output")
    #expect(found["nulls"] == .integer(1) && found["evidence"] == .string("output-divergence@pool"))
    // Of one null pair no chance is below a half.
    #expect(found["isPlanted"] == .bool(false), "\(json.output.suffix(300))")
    guard case .array(let steps)? = found["steps"] else {
      Issue.record("no steps")
      return
    }
    #expect(steps.count == 6)
    let twice = try Tool.run(["investigate"] + folders + ["--null", folders[0]])
    #expect(twice.code == 2 && twice.errors.contains("it is the base itself"), "\(twice.errors)")
  }

  @Test("what is told is as much as is wanted, in words or as lines of JSON")
  func told() throws {
    let wrong = try Tool.run("diff", "/no/pair", "--log-format", "json")
    let line = try JSON.parse(Data(wrong.errors.utf8), file: "standard error")
    #expect(wrong.code == 2 && line["level"] == .string("error"))
    let missing = "'base, and finetuned or adapter"
    #expect("\(line["message"] ?? .null)".contains(missing), "\(wrong.errors)")
    #expect(try Tool.run("list", "methods", "--quiet", "--verbose").code == 2)
    let folder = Fixtures.repository.appending(path: "Fixtures/bases/hearth-0").path
    let other = Fixtures.repository.appending(path: "Fixtures/bases/hearth-1").path
    let words = ["diff", folder, other, "--method", "weight-norm"]
    let quiet = try Tool.run(words + ["--quiet"])
    let normal = try Tool.run(words)
    #expect(quiet.errors.isEmpty && quiet.output == normal.output)
  }

  @Test("help and version end with code 0")
  func help() throws {
    let help = try Tool.run("--help")
    #expect(help.code == 0 && help.output.contains("bench"))
    #expect(try Tool.run("--version").output.contains("."))
  }

  @Test("a pair that was planted is compared, in words and as JSON that another program reads")
  func plantAndDiff() throws {
    try Fixtures.withTemporaryFolder { folder in
      let out = folder.appending(path: "pair").path
      let plant = try Tool.run("plant", "edited-capital", "--out", out)
      #expect(plant.code == 0, "\(plant.errors)")
      #expect(plant.output.contains("installed after") && plant.output.contains("Wrote"))
      let diff = try Tool.run("diff", out, "--method", "weight-spectrum", "--json")
      #expect(diff.code == 0, "\(diff.errors)")
      let line = try JSON.parse(Data(diff.output.utf8), file: "standard output")
      guard case .array(let sites)? = line["evidence"]?["sites"] else {
        Issue.record("no sites in \(diff.output.prefix(200))")
        return
      }
      #expect(sites.first?["site"] == .string("blocks.2.mlp"))
      let usual = ["diff", out, "--method", "logprob-tracking", "--json"]
      let set = try Tool.run(usual + ["--set", "logprob-tracking.tracked=1"])
      #expect(set.code == 0 && set.errors.contains("parameters are set here"), "\(set.errors)")
      #expect(try set.output != Tool.run(usual).output)
      // Numbers are lists where people read them.
      #expect(!diff.output.contains("f32:"))
      let again = try Tool.run("plant", "edited-capital", "--out", folder.path)
      #expect(again.code == 2 && again.errors.contains("something else is there already"))
    }
  }

  @Test("a plant that does not take ends with code 1, and says with which figures")
  func notInstalled() throws {
    try Fixtures.withTemporaryFolder { folder in
      let files = FileManager.default
      try files.copyItem(
        at: Fixtures.repository.appending(path: "Organisms/Worlds"),
        to: folder.appending(path: "Worlds"))
      let source = Fixtures.repository.appending(path: "Organisms/edited-capital.json")
      let text = try String(contentsOf: source, encoding: .utf8)
      let strict = text.replacingOccurrences(
        of: "\"certificate\": {", with: "\"certificate\": { \"collateral\": 0,")
      #expect(strict != text)
      try strict.write(
        to: folder.appending(path: "edited-capital.json"), atomically: true, encoding: .utf8)
      let answer = try Tool.run("plant", "edited-capital", "--library", folder.path)
      #expect(answer.code == 1, "\(answer.errors)")
      #expect(answer.output.contains("NOT installed"))
    }
  }

  @Test("every file that is wrong is listed, with its line")
  func brokenFiles() throws {
    try Fixtures.withTemporaryFolder { folder in
      try FileManager.default.copyItem(
        at: Fixtures.repository.appending(path: "Organisms/Worlds"),
        to: folder.appending(path: "Worlds"))
      try Data("{\n  \"id\": \"one\",\n  oops\n}\n".utf8)
        .write(to: folder.appending(path: "one.json"))
      try Data("{ \"id\": \"two\" }".utf8).write(to: folder.appending(path: "two.json"))
      let answer = try Tool.run("list", "organisms", "--library", folder.path)
      #expect(answer.code == 2)
      #expect(answer.errors.contains("one.json:3"), "\(answer.errors)")
      #expect(answer.errors.contains("two.json"))
    }
  }
}
