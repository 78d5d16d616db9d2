internal import Dictionaries
internal import Tensors
internal import Transformers

/// The file that keeps what a comparison read: of each token that counts its id, row and place; of each block both
/// models' activations, their codes, atom by atom with -1 where nothing but rounding is left, and what came of them.
struct RawActivations {
  private static let sides = ["base", "finetuned"]

  private let dictionaries: [SavedITDA]

  init(_ dictionaries: [SavedITDA]) { self.dictionaries = dictionaries }

  /// What is in the file.
  func layout(tokens: Int) -> Safetensors.Layout {
    let places = ["tokens", "documents", "positions"].map {
      Safetensors.Layout.Part($0, .int64, [tokens])
    }
    return Safetensors.Layout(
      places
        + dictionaries.flatMap { saved -> [Safetensors.Layout.Part] in
          let block = Self.block(saved.origin.layer), atoms = saved.dictionary.count
          let sparsity = saved.dictionary.options.sparsity
          return Self.sides.flatMap { side -> [Safetensors.Layout.Part] in
            [
              .init("\(block).\(side).activations", .float32, [tokens, saved.origin.width]),
              .init("\(block).\(side).codes.atoms", .int64, [tokens, sparsity]),
              .init("\(block).\(side).codes.values", .float32, [tokens, sparsity]),
            ]
          } + [
            .init("\(block).activation_differences", .float32, [atoms]),
            .init("\(block).sorted_indices", .int64, [atoms]),
            .init("\(block).sorted_differences", .float32, [atoms]),
          ]
        })
  }

  private static func block(_ layer: Int) -> String { "layers.\(layer)" }

  /// Writes a part of the text.
  func write(_ step: ITDAComparison.Step, to file: inout Safetensors.Sink) throws {
    try file.write(step.part.counted.map { step.part.text.tokens[$0] }, to: "tokens")
    try file.write(step.part.sources.map(\.document), to: "documents")
    try file.write(step.part.sources.map(\.position), to: "positions")
    for (index, saved) in dictionaries.enumerated() {
      let block = Self.block(saved.origin.layer), sparsity = saved.dictionary.options.sparsity
      let (streams, codes) = (step.streams[index], step.codes[index])
      let models = [(streams.base, codes.base), (streams.finetuned, codes.finetuned)]
      for (side, model) in zip(Self.sides, models) {
        try file.write(model.0.scalars, to: "\(block).\(side).activations")
        try write(model.1, sparsity, to: &file, "\(block).\(side).codes")
      }
    }
  }

  private func write(
    _ codes: SparseCodes, _ sparsity: Int, to file: inout Safetensors.Sink, _ name: String
  ) throws {
    func padded<Value>(_ values: [Value], _ pad: Value) -> [Value] {
      values + Array(repeating: pad, count: sparsity - values.count)
    }
    try file.write(codes.rows.flatMap { padded($0.map(\.latent), -1) }, to: "\(name).atoms")
    try file.write(codes.rows.flatMap { padded($0.map(\.value), 0) }, to: "\(name).values")
  }

  /// Writes what came of it; an order that is none is one of -1.
  func write(_ result: ITDAComparison.Result, to file: inout Safetensors.Sink) throws {
    let block = Self.block(result.layer), rest = result.atoms - result.sortedIndices.count
    try file.write(result.activationDifferences, to: "\(block).activation_differences")
    try file.write(
      result.sortedIndices + Array(repeating: -1, count: rest), to: "\(block).sorted_indices")
    try file.write(
      result.sortedDifferences + Array(repeating: 0, count: rest),
      to: "\(block).sorted_differences")
  }
}
