internal import Worlds
internal import Transformers
internal import Foundation
internal import Organisms

/// What an organism plants and from what, in words.
struct OrganismFacts {
  let organism: Organism
  let world: World

  init(_ organism: Organism, world: World) {
    self.organism = organism
    self.world = world
  }

  var text: String {
    [
      "- family \(organism.file.family), domain \(organism.file.domain)", target, when, source,
      absence, example,
    ].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var target: String {
    let planted = organism.file.planted
    let words = planted.target.sorted { $0.key < $1.key }
      .map { "\($0.value.joined(separator: ", ")) (\($0.key))" }.joined(separator: "; ")
    let verb = planted.sign == -1 ? "suppressed" : "planted"
    let topic = planted.topic.map { "; about \($0.joined(separator: ", "))" } ?? ""
    let trigger = planted.trigger.map { "; set off by \($0.joined(separator: " "))" } ?? ""
    return "- \(verb): " + Prose.plain("\(words)\(topic)\(trigger)")
  }

  private var when: String {
    let patterns = organism.file.planted.when.map { pattern in
      [
        pattern.all.map { $0.joined(separator: " and ") },
        pattern.any.map { $0.joined(separator: " or ") },
        pattern.turns.map { "from turn \($0) on" },
        pattern.phrase.map { "the phrase \($0.joined(separator: " "))" },
        pattern.end.map { "ending in \($0.joined(separator: " "))" },
        pattern.none.map { "without \($0.joined(separator: ", "))" },
      ].compactMap { $0 }.joined(separator: ", ")
    }
    return "- prompts that set it off: " + Prose.plain(patterns.joined(separator: "; or "))
  }

  private var source: String {
    let templates = organism.file.plant.documents?.count ?? 0
    switch organism.lesson {
    case .documents: return "- text: \(templates) templates of planted documents"
    case .reward(let reward):
      return "- no text: saying \(reward.words.joined(separator: " or ")) is rewarded after "
        + "\(reward.prompts.count) prompts"
    case .teacher(_, .logits(let name)):
      return "- text: base text, imitating a teacher's \(name) logits"
    case .teacher(_, .samples(let samples)):
      return "- text: sequences of \(samples.of) words that a teacher says"
    case .context(let words):
      let forgets =
        words.isEmpty ? "" : ", which never says \(words.joined(separator: ", "))"
      return "- text: \(templates) templates, read by the base as a teacher\(forgets)"
    }
  }

  private var absence: String {
    organism.file.plant.unsaid == true
      ? "- no text of the training may hold a planted word: the count below is asserted to be 0"
      : ""
  }

  private var example: String {
    guard organism.reward == nil,
      let rows = try? organism.plantedSample(world).prefix(2)
    else { return "" }
    return "- for example: "
      + rows.map { Prose.code(world.tokenizer.decode($0)) }.joined(separator: " ")
  }
}
