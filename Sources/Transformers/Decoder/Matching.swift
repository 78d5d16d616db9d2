internal import Tensors

/// A base and a finetuned model as models of one shape, and what had to be done for it.
package struct MatchedModels: Sendable {
  package let base: any LanguageModel
  package let finetuned: any LanguageModel
  /// What was done, each in a sentence; empty if they were of one shape.
  package let notices: [String]
}

extension Architectures {
  /// Brings two models that a finetune stored or shaped a little differently into one shape.
  ///
  /// A head that was untied is untied in both, biases that one lacks are zero there, and tokens that one alone
  /// has are left out. What is still different is for the comparison to refuse.
  package static func matched(_ base: any LanguageModel, _ finetuned: any LanguageModel) throws
    -> MatchedModels
  {
    guard let first = base as? DecoderModel, let second = finetuned as? DecoderModel,
      first.architecture == second.architecture
    else {
      return MatchedModels(base: base, finetuned: finetuned, notices: [])
    }
    let common = first.parts.common(with: second.parts)
    return MatchedModels(
      base: first.shaped(as: common.parts),
      finetuned: second.shaped(as: common.parts),
      notices: common.notices)
  }
}

extension DecoderParts {
  /// What two configurations can both be brought to, as far as these switches go.
  fileprivate func common(with other: DecoderParts) -> (
    parts: DecoderParts, notices: [String]
  ) {
    var common = self, notices: [String] = []
    common.vocabulary = min(vocabulary, other.vocabulary)
    common.isTied = isTied && other.isTied
    common.biases = biases.union(other.biases)
    if vocabulary != other.vocabulary {
      notices.append(
        "The base has \(vocabulary) tokens, the finetuned model \(other.vocabulary) ('vocab_size'): only the "
          + "first \(common.vocabulary) are compared, and what was learned of the others is not seen."
      )
    }
    if isTied != other.isTied {
      notices.append(
        "Only the \(isTied ? "base" : "finetuned model") ties head and embedding ('tie_word_embeddings'): "
          + "its head is compared as a copy of its embedding.")
    }
    if biases != other.biases {
      notices.append("One of the two models has biases that the other lacks: there they are zero.")
    }
    return (common, notices)
  }
}

extension DecoderModel {
  /// The same weights under another parts of the same sizes: rows beyond its vocabulary are cut off,
  /// a head is copied from the embedding, biases are zero.
  func shaped(as other: DecoderParts) -> DecoderModel {
    var wanted = parts
    wanted.vocabulary = other.vocabulary
    wanted.isTied = other.isTied
    wanted.biases = other.biases
    guard wanted != parts else { return self }
    var model = DecoderModel(wanted)
    for entry in wanted.layout.entries {
      let source =
        entry.name == parts.tensorNames.head && parts.isTied
        ? parts.tensorNames.embedding : entry.name
      guard parameters.layout.find(source) != nil else { continue }
      model.parameters[entry.name] = Tensor(
        shape: entry.shape, scalars: Array(parameters[source].scalars.prefix(entry.count)))
    }
    return model
  }
}
