internal import Synchronization
public import Tensors
public import Transformers

/// A base and a finetuned model, with recordings that all methods share.
public struct ModelPair: Sendable {
  /// The base; it counts what is asked of it.
  public let base: any LanguageModel
  /// The finetuned model; it counts too.
  public let finetuned: any LanguageModel
  let meter = WorkMeter()
  let baseRecordings: Recordings
  let finetunedRecordings = Recordings()
  let seen = SeenKeys()
  private let showsExhibits: Bool
  let recordsAhead: Bool
  /// Whether both read the same, hidden prefix included; methods see no prefix.
  private let readAlike: Bool

  /// Which of the two.
  public enum Side: Hashable, Sendable {
    case base, finetuned
  }

  /// The modules of the blocks, in the order of the computation.
  package var blockModules: [ModuleSite] {
    (0..<shape.layers).flatMap { [.attention(layer: $0), .mlp(layer: $0)] }
  }

  /// Pairs two models.
  ///
  /// - Parameters:
  ///   - base: The base.
  ///   - finetuned: What was made of it.
  ///   - baseRecordings: What was computed of this base for other pairs, to be gone on with.
  ///   - showsExhibits: Whether methods make exhibits.
  ///   - recordsAhead: Whether a pass records all that methods usually ask for, so that many share it; else
  ///     it records what is asked, which a large model leaves no memory for more than.
  /// - Throws: `DiffingError` if they differ in anything but the values of their weights, or if these are too
  ///   large to compute with.
  public init(
    base: any LanguageModel, finetuned: any LanguageModel,
    baseRecordings: Recordings = Recordings(), showsExhibits: Bool = true,
    recordsAhead: Bool = true
  ) throws(DiffingError) {
    let names = (base.architecture, finetuned.architecture)
    guard names.0 == names.1 else {
      throw .differentArchitectures(base: names.0, finetuned: names.1)
    }
    let layouts = (base.parameters.layout, finetuned.parameters.layout)
    for name in layouts.0.names + layouts.1.names {
      let shapes = (layouts.0.find(name)?.shape, layouts.1.find(name)?.shape)
      guard shapes.0 == shapes.1 else {
        throw .differentShapes(tensor: name, base: shapes.0, finetuned: shapes.1)
      }
    }
    if let setting = base.shape.difference(from: finetuned.shape) {
      throw .differentSettings(key: setting.key, base: setting.own, finetuned: setting.other)
    }
    for (model, name) in [(base, "The base"), (finetuned, "The finetuned model")] {
      let logits = model.forward(TokenBatch([[0]]), logits: .last).logits
      guard logits.scalars.allSatisfy(\.isFinite) else { throw .notFinite(method: name) }
    }
    self.showsExhibits = showsExhibits
    self.baseRecordings = baseRecordings
    self.recordsAhead = recordsAhead
    readAlike = base.hiddenPrefix == finetuned.hiddenPrefix
    self.base = MeteredModel(base, meter)
    self.finetuned = MeteredModel(finetuned, meter)
  }

  /// The model of a side; it counts what is asked of it.
  public func model(_ side: Side) -> any LanguageModel { side == .base ? base : finetuned }
  /// The sizes of both models.
  public var shape: ModelShape { base.shape }

  /// Whether they are one model, hidden prefix included: then there is nothing to find.
  public var isIdentical: Bool {
    readAlike && haveSameWeights
  }

  /// Whether the weights are the same bytes.
  var haveSameWeights: Bool {
    // Of a LoRA finetune only the factors are looked at: its weights are never formed as a whole.
    finetuned.parameters.isAdaptation(of: base.parameters)
      ? !base.parameters.layout.names.contains(where: isChanged)
      : base.parameters == finetuned.parameters
  }

  /// What people are shown, if anybody is.
  ///
  /// It is not charged to the method, and what cannot be shown takes no claim with it.
  public func exhibits(_ make: @autoclosure () throws -> [Exhibit]) -> [Exhibit] {
    guard showsExhibits else { return [] }
    do {
      return try meter.pausing(make)
    } catch {
      return [Exhibit("Exhibits", .table(columns: ["left out"], rows: [[.text("\(error)")]]))]
    }
  }

  /// Runs a body and counts what it asks of the two models, recordings of others included.
  public func measuring<Result>(_ body: () throws -> Result) rethrows -> (Result, Work) {
    meter.reset()
    seen.reset()
    return (try body(), meter.work)
  }
}

extension ModelPair {
  /// The change of one tensor.
  public func change(of name: String) -> Tensor {
    if let update = factors(of: name) { return update.product }
    return finetuned.parameters.difference(of: name, from: base.parameters)
  }

  /// The change of some rows of a tensor, shaped `[rows, columns]`.
  package func change(of name: String, rows: Range<Int>) -> Tensor {
    finetuned.parameters.difference(of: name, rows: rows, from: base.parameters)
  }

  /// The rows of a tensor, as many at once as should be in memory: all where both models' are.
  package func rowGroups(of name: String) -> [Range<Int>] {
    let groups = [base, finetuned].map { $0.parameters.rowGroups(of: name) }
    return groups[0].count > groups[1].count ? groups[0] : groups[1]
  }

  /// The change of one tensor as a product, if it is kept as one beside the base's own memory.
  public func factors(of name: String) -> LowRankUpdate? {
    guard finetuned.parameters.isAdaptation(of: base.parameters) else { return nil }
    return finetuned.parameters.update(of: name)
  }

  /// Whether a tensor changed.
  public func isChanged(_ name: String) -> Bool {
    guard finetuned.parameters.isAdaptation(of: base.parameters) else {
      return !finetuned.parameters.hasSameNumbers(name, as: base.parameters)
    }
    return factors(of: name).map { $0.left.norm * $0.right.norm > 0 } ?? false
  }
}
