internal import Diffing
internal import Tensors
internal import Transformers

/// The singular values and vectors of one matrix's change.
struct ChangeSpectrum {
  let name: String
  let module: ModuleSite
  let role: Role
  let baseNorm: Float
  /// Singular values, the largest first.
  let values: [Float]
  /// The first of the vectors: all of every matrix's would take more memory than the models.
  let leading: SingularValueDecomposition

  /// What a tensor's rows and columns are.
  enum Role {
    /// Its outputs are added to the residual stream: left vectors are directions there.
    case writer
    /// Its inputs are the residual stream, normed: right vectors are directions there.
    case reader
    /// It has a row a token: left vectors are rankings of tokens.
    case tokens
  }

  /// Those of every matrix, and of every bias that is added to the stream, that changed by more than rounding
  /// and decay, in the order of the layout.
  ///
  /// - Parameter rank: How many vectors are kept of each.
  static func all(_ pair: ModelPair, keeping rank: Int) throws -> [ChangeSpectrum] {
    let changed = pair.tensorsWithDirections
    return try pair.base.parameters.layout.names.filter(changed.contains)
      .compactMap { try ChangeSpectrum($0, of: pair, keeping: rank) }.filter {
        $0.numericalRank > 0
      }
  }

  /// The spectrum of one tensor that changed; nil if it is no map between streams and tokens.
  private init?(_ name: String, of pair: ModelPair, keeping rank: Int) throws {
    let names = pair.base.names, shape = pair.base.parameters.layout[name].shape
    let block = names.blockTensor(name), writes = block?.role.isWriter == true
    let isBias = writes && block?.isBias == true
    guard shape.count == 2 || isBias else { return nil }
    self.name = name
    module = names.module(of: name)
    role =
      writes
      ? .writer : [names.embedding, names.unembedding].contains(name) ? .tokens : .reader
    let spectrum = try pair.spectrum(ofChange: name, keeping: rank)
    values = spectrum.values
    leading = spectrum.leading.first(rank)
    // A bias is a column more of the matrix that it is added to, and is mostly 0 in the base.
    let matrix = isBias ? block.flatMap { names.matrix(of: $0) } : nil
    let parts = [name] + (matrix.map { [$0] } ?? [])
    let squares = parts.map { pair.base.parameters[$0].norm }.map { $0 * $0 }
    // Of what was 0 before, the change is as large as the tensor.
    let norm = squares.reduce(0, +).squareRoot()
    baseNorm = norm > 0 ? norm : max(values.first ?? 0, .leastNormalMagnitude)
  }

  var writes: Bool { role == .writer }

  /// Singular values that are not rounding: a merged LoRA has a tail of some 10⁻⁷ of the first, and a matrix in
  /// which one number moved by a unit in its last place a first of some 10⁻⁸ of its norm.
  var numericalRank: Int {
    values.filter { $0 > 1e-4 * values[0] && $0 > Decoding.rounding * baseNorm }.count
  }

  /// The largest singular value relative to the matrix.
  var relativeSize: Float { (values.first ?? 0) / baseNorm }

  /// How many singular vectors hold a share of the squared norm.
  func componentsHolding(_ share: Double) -> Int {
    (1...values.count).first { Spectrum.energy(values, first: $0) >= share } ?? values.count
  }

  /// The change with only its first singular vectors, of those that are kept.
  func truncated(toRank rank: Int) -> TensorEdit {
    let first = leading.first(rank)
    return TensorEdit(
      name: name,
      change: .lowRank(
        left: first.left, right: first.right.scalingRows(by: first.values.scalars)))
  }

  /// The gain of the norm before the matrix, if it reads the residual stream.
  func inputGain(_ pair: ModelPair) -> Tensor? {
    guard role == .reader, let layer = module.layer else { return nil }
    let norm = module == .attention(layer: layer) ? TensorRole.attentionNorm : .mlpNorm
    return pair.finetuned.names.tensor(norm, layer: layer).map { pair.finetuned.gain($0) }
  }
}
