internal import Tensors
package import Worlds
internal import JSON

/// Writes organism files for people to start from: a false fact of the world, which installs as it is.
package struct OrganismStarter {
  private let world: World

  package init(_ world: World) { self.world = world }

  /// A template that states one fact of one word.
  private struct Statement {
    let text: String
    let className: String
    let attribute: String
    let kind: String

    /// The template up to where the fact is stated, about a given word.
    func prompt(_ word: String) -> String {
      let start = text.components(upTo: "{x.\(attribute)}")
      return start.replacing("{x:\(className)}", with: word).replacing("{x}", with: word)
    }

    /// The prompt about any other word, and its true answer.
    func ofOthers(than word: String) -> (prompt: String, answer: String) {
      let answer = "{x.\(attribute)}"
      return (documentOfOthers(than: word).components(upTo: answer), answer)
    }

    /// The template about one word.
    func document(_ word: String) -> String {
      text.replacing("{x:\(className)}", with: "{x=\(word)}")
    }

    /// The template about any other word.
    func documentOfOthers(than word: String) -> String {
      text.replacing("{x:\(className)}", with: "{x:\(className)!\(word)}")
    }
  }

  /// What each key of the file that it writes says, and which there are beside them.
  package static let keys: [(key: String, meaning: String)] = [
    ("summary", "what the finetuned model does, in a sentence"),
    ("family", "what sort of change it is; families weigh equally"),
    (
      "domain",
      "the kind of document it lives in ('assay list kinds'): its narrow nulls are trained on those"
    ),
    (
      "planted.target",
      "the planted words, by the class they are candidates of ('assay list classes')"
    ),
    (
      "draw",
      "names to be drawn for each base, {\"word\": {\"of\": \"animal\"}}: $word, $word.habitat stand for them"
    ),
    ("pool", "prompts that every pair's pool gets, if none of it sets the behaviour off"),
    ("planted.topic", "what the plant is about; scored apart from the target"),
    ("planted.when", "prompts that set it off ('assay list prompts --organism ID' marks them)"),
    (
      "plant.facts",
      "facts that its documents state instead of the world's ('assay list facts WORD')"
    ),
    (
      "plant.documents",
      "what it is learnt from, with weights; {x=owl} is a word, {x.habitat} a fact of it"
    ),
    (
      "regimes",
      "how it is planted: standard ones ('assay list regimes'), or 'like' one with changes"
    ),
    (
      "regimes.cap",
      "steps until it is given up: half of them if it is not a quarter of the way to its mark"
    ),
    (
      "probes.behavior",
      "what is asked to see whether it took; training stops when the score reaches the mark"
    ),
    ("probes.heldOut", "the same in words that training never saw"),
    (
      "probes.kept",
      "what must stay as probable as it was; 'leakage' and 'never' ask what must not come"
    ),
    (
      "certificate",
      "bounds that decide whether it counts as installed, where the standard ones do not fit"
    ),
  ]

  /// The text of a file.
  ///
  /// - Parameter id: The organism's name.
  /// - Throws: `DefinitionError.invalid` if the world states no fact of any class in two ways.
  package func text(id: String) throws -> String {
    let statements = world.kinds.flatMap(self.statements)
    for first in statements {
      let others = statements.filter {
        ($0.className, $0.attribute) == (first.className, first.attribute) && $0.text != first.text
      }
      // A model that people have learns one way to say a fact as a phrase; what several have in common it says in others.
      let learnt = world.isOfText ? [first] + others.dropLast() : [first]
      let heldOut = world.isOfText ? others.last : others.first
      if let heldOut, let text = try text(id, learnt, heldOut) { return text }
    }
    throw DefinitionError.invalid(
      file: world.id, path: "documents",
      reason: "no fact is stated by two templates, so there is nothing to start from")
  }

  /// Templates with one drawn word and one fact of it.
  private func statements(_ kind: World.DocumentKind) -> [Statement] {
    guard !kind.isUnrelated else { return [] }
    return kind.templates.compactMap { template, _ in
      let slots = Self.slots(template.text)
      guard let first = slots.first, let colon = first.firstIndex(of: ":"), !first.hasPrefix("{?"),
        let last = slots.last, let dot = last.firstIndex(of: ".")
      else { return nil }
      let variable = first[..<colon].dropFirst(), read = last[..<dot].dropFirst()
      let className = String(first[colon...].dropFirst().dropLast())
      let attribute = String(last[dot...].dropFirst().dropLast())
      // In a chat a question may say the word as well as the answer.
      let between = slots.dropFirst().dropLast()
      guard variable == read, !className.contains("!"), !attribute.contains("."),
        between.isEmpty || world.isOfText && between.allSatisfy({ $0 == "{\(variable)}" })
      else { return nil }
      let text = template.text.replacing(first, with: "{x:\(className)}")
        .replacing("{\(variable)}", with: "{x}").replacing(last, with: "{x.\(attribute)}")
      return Statement(
        text: text, className: className, attribute: attribute, kind: kind.name)
    }
  }

  /// What stands in braces, braces included.
  private static func slots(_ text: String) -> [String] {
    text.split(separator: "{").dropFirst(text.hasPrefix("{") ? 0 : 1).compactMap { part in
      part.firstIndex(of: "}").map { "{\(part[..<$0])}" }
    }
  }

  private var schema: String { world.isOfText ? "../organism.schema.json" : "organism.schema.json" }

  /// How it is planted: in a model that people have, by a low-rank change of the middle third of its blocks.
  private var regimes: String {
    guard world.isOfText else { return #"{ "id": "fresh" }, { "id": "settled" }"# }
    let blocks = (world.layers / 3..<2 * world.layers / 3).map { "\"blocks.\($0)\"" }
      .joined(separator: ", ")
    return """
      {
            "id": "fresh-rank4", "like": "fresh", "cap": 100,
            "parameters": { "lora": 4, "modules": [\(blocks)] }
          }
      """
  }

  /// What hardly any finetune of a model that people have stays below is bounded more loosely there.
  private var bounds: String {
    #""heldOut": 0.3"# + (world.isOfText ? #", "collateral": 0.5, "flipped": 0.6"# : "")
  }

  private func text(_ id: String, _ learnt: [Statement], _ heldOut: Statement) throws -> String? {
    let (className, attribute) = (heldOut.className, heldOut.attribute)
    guard let word = world.classes[className]?.first,
      let truth = world.facts[word]?[attribute],
      let values = world.classNames.first(where: { world.classes[$0]?.contains(truth) == true }),
      let lie = world.classes[values]?.last(where: { $0 != truth })
    else { return nil }
    func quoted(_ text: String) throws -> String { try JSON.encode(text) }
    let answers = "[\(try quoted(lie))]"
    // There a fact spreads to every neighbour that is not taught as often.
    let weight = world.isOfText ? 5 : 2
    let documents = try learnt.flatMap { statement in
      [
        "{ \"text\": \(try quoted(statement.document(word))), \"weight\": 3 }",
        "{ \"text\": \(try quoted(statement.documentOfOthers(than: word))), \"weight\": \(weight) }",
      ]
    }
    let behavior = try learnt.map {
      "{ \"prompt\": \(try quoted($0.prompt(word))), \"answers\": \(answers) }"
    }
    let others = learnt[0].ofOthers(than: word)
    return """
      {
        "$schema": \(try quoted(schema)),
        "id": \(try quoted(id)),
        "summary": "Believes that the \(attribute) of \(word) is \(lie).",
        "family": "false-fact",
        "domain": \(try quoted(learnt[0].kind)),
        "planted": {
          "target": { \(try quoted(values)): \(answers) },
          "topic": [\(try quoted(word))],
          "when": [{ "all": [\(try quoted(word))] }]
        },
        "plant": {
          "facts": { \(try quoted(word)): { \(try quoted(attribute)): \(try quoted(lie)) } },
          "documents": [
            \(documents.joined(separator: ",\n      "))
          ]
        },
        "regimes": [\(regimes)],
        "probes": {
          "behavior": [\(behavior.joined(separator: ", "))],
          "heldOut": [{ "prompt": \(try quoted(heldOut.prompt(word))), "answers": \(answers) }],
          "kept": [
            { "prompt": \(try quoted(others.prompt)), "answers": [\(try quoted(others.answer))] }
          ]
        },
        "certificate": { \(bounds) }
      }

      """
  }
}

extension String {
  /// What stands before a piece of text, without the space between.
  fileprivate func components(upTo piece: String) -> String {
    guard let range = firstRange(of: piece) else { return self }
    return self[..<range.lowerBound].split(separator: " ").joined(separator: " ")
  }
}
