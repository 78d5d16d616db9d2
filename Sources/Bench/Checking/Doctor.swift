internal import Diffing
package import Foundation
internal import JSON
package import Transformers

/// What is well with a model's folder, or with a pair of them, and what is not.
package enum Doctor {
  /// Looks at one model.
  package static func findings(_ folder: URL) -> (findings: [Finding], checkpoint: Checkpoint?) {
    do {
      let checkpoint = try HuggingFaceFolder.read(folder)
      return (findings(checkpoint), checkpoint)
    } catch {
      return ([Finding(.fault, "reading", "\(error)")], nil)
    }
  }

  /// Looks at one model that was read.
  package static func findings(_ checkpoint: Checkpoint) -> [Finding] {
    let model = checkpoint.model
    return [format(checkpoint), sizes(model), head(model), vocabulary(checkpoint)]
      + tokenizer(checkpoint) + [chat(checkpoint), selfTest(checkpoint)]
  }

  private static func format(_ checkpoint: Checkpoint) -> Finding {
    let counts = Dictionary(grouping: checkpoint.types.values, by: \.self).mapValues(\.count)
    let types = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.value) in \($0.key)" }
    return Finding(.ok, "format", "tensors: \(types.joined(separator: ", "))")
  }

  private static func sizes(_ model: any LanguageModel) -> Finding {
    let shape = model.shape, count = model.parameters.layout.count
    let bytes = ByteCountFormatter.string(fromByteCount: Int64(4 * count), countStyle: .decimal)
    return Finding(
      .ok, "model",
      "\(model.architecture): \(shape.layers) blocks of width \(shape.width), \(shape.heads) heads, "
        + "\(count) numbers, \(bytes) in 32 bits")
  }

  private static func head(_ model: any LanguageModel) -> Finding {
    let isTied = model.names.embedding == model.names.unembedding
    return Finding(.ok, "head", isTied ? "tied to the embedding" : "of its own")
  }

  private static func vocabulary(_ checkpoint: Checkpoint) -> Finding {
    let rows = checkpoint.model.shape.vocabulary
    guard let tokenizer = checkpoint.tokenizer else {
      return Finding(.ok, "vocabulary", "\(rows) rows")
    }
    return Finding(
      rows < tokenizer.count ? .fault : .ok, "vocabulary",
      "\(rows) rows, \(tokenizer.count) tokens"
        + (rows > tokenizer.count ? ": the last \(rows - tokenizer.count) rows are spare" : ""))
  }

  private static func tokenizer(_ checkpoint: Checkpoint) -> [Finding] {
    guard let tokenizer = checkpoint.tokenizer else {
      let reasons = checkpoint.notices.isEmpty ? ["there is no tokenizer.json"] : checkpoint.notices
      return reasons.map {
        Finding(.note, "tokenizer", "\($0): text is read as token ids, and shown so")
      }
    }
    func name(_ token: Int?) -> String { token.map { tokenizer.word($0) } ?? "nothing" }
    let special = tokenizer.specialTokens.sorted().prefix(6).map(tokenizer.word)
    let others = tokenizer.specialTokens.count - special.count
    return [
      Finding(
        .ok, "tokenizer",
        "a document starts with \(name(tokenizer.documentStart)); tokens that are no text: "
          + (special.isEmpty ? "none" : special.joined(separator: " "))
          + (others > 0 ? " and \(others) more" : ""))
    ]
  }

  private static func chat(_ checkpoint: Checkpoint) -> Finding {
    guard let chat = checkpoint.chat else {
      return checkpoint.hasChatTemplate
        ? Finding(
          .note, "chat",
          "a template of no kind that is known (\(ChatFormat.Kind.allCases.map(\.rawValue).joined(separator: ", "))): "
            + "prompts are put as raw text")
        : Finding(.ok, "chat", "no template: prompts are put as raw text")
    }
    let system = chat.system.map { ", the system says '\(Printable.line($0))'" } ?? ""
    return Finding(.ok, "chat", chat.kind.rawValue + system)
  }

  private static func selfTest(_ checkpoint: Checkpoint) -> Finding {
    guard let test = SelfTest(checkpoint.model, checkpoint.tokenizer) else {
      return Finding(.ok, "self-test", "left out: it needs a tokenizer of text")
    }
    return Finding(
      test.passes ? .ok : .fault, "self-test",
      test.meaning + (test.passes ? "" : "; 'diff' takes it with --insist"))
  }
}

extension Doctor {
  /// Looks at two models that were read: the second is to have been made of the first.
  package static func findings(_ base: Checkpoint, _ finetuned: Checkpoint) -> [Finding] {
    let (first, second) = (base.model, finetuned.model)
    guard first.architecture == second.architecture else {
      return [
        Finding(
          .fault, "architecture",
          "\(first.architecture) against \(second.architecture): only models of one family are compared"
        )
      ]
    }
    return [settings(first, second), vocabularies(base, finetuned), tokenizers(base, finetuned)]
      + [chats(base, finetuned)]
      + [
        Descent(first, second)?.finding,
        RoundingResidue.removed(base, finetuned).1?.finding,
      ].compactMap(\.self)
  }

  /// Whether the two can be brought into one shape, as 'diff' does.
  private static func settings(_ base: any LanguageModel, _ finetuned: any LanguageModel)
    -> Finding
  {
    do {
      let matched = try Architectures.matched(base, finetuned)
      _ = try ModelPair(base: matched.base, finetuned: matched.finetuned)
      return Finding(.ok, "settings", "alike")
    } catch {
      return Finding(.fault, "settings", "\(error)")
    }
  }

  private static func vocabularies(_ base: Checkpoint, _ finetuned: Checkpoint) -> Finding {
    let (own, other) = (base.model.shape.vocabulary, finetuned.model.shape.vocabulary)
    guard own != other else { return Finding(.ok, "vocabularies", "\(own) rows each") }
    let words = (min(own, other)..<max(own, other)).compactMap {
      (own > other ? base : finetuned).tokenizer?.entry($0)
    }.filter { !$0.isEmpty }
    let named = words.prefix(8).map { Printable.line($0) }.joined(separator: " ")
    return Finding(
      .note, "vocabularies",
      "\(own) and \(other) rows: the first \(min(own, other)) are compared"
        + (words.isEmpty
          ? ""
          : "; only the \(own > other ? "first" : "second") has \(named)"
            + (words.count > 8 ? " and \(words.count - 8) more" : "")))
  }

  static func tokenizers(_ base: Checkpoint, _ finetuned: Checkpoint) -> Finding {
    guard let first = base.tokenizer, let second = finetuned.tokenizer else {
      return Finding(.ok, "tokenizers", "not both have one")
    }
    let ids = first.disagreements(with: second)
    guard let id = ids.first else { return Finding(.ok, "tokenizers", "alike") }
    return Finding(
      .note, "tokenizers",
      "The tokenizers of the two models differ in \(ids.count) tokens, as \(id): '\(first.word(id))' in "
        + "the base, '\(second.word(id))' in the finetuned model. Tokens are named as in the base.")
  }

  static func chats(_ base: Checkpoint, _ finetuned: Checkpoint) -> Finding {
    guard base.hasChatTemplate != finetuned.hasChatTemplate || base.chat != finetuned.chat else {
      return Finding(.ok, "chats", "alike")
    }
    func name(_ checkpoint: Checkpoint) -> String {
      checkpoint.chat?.kind.rawValue ?? (checkpoint.hasChatTemplate ? "an unknown one" : "none")
    }
    return Finding(
      .note, "chats",
      "templates differ (\(name(base)) and \(name(finetuned))): both models get prompts "
        + (finetuned.hasChatTemplate
          ? finetuned.chat == nil ? "as raw text" : "in the second's" : "in the first's"))
  }
}
