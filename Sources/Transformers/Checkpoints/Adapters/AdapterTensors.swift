internal import Foundation
internal import JSON
internal import Tensors

/// The tensors of `adapter_model.safetensors`, each with its place in the base.
struct AdapterTensors {
  private let path: String
  private let base: DecoderModel
  private let options: AdapterOptions
  private let forms: [Spelling: StoredForm]
  /// The parts of each adapted module.
  private var modules: [(form: StoredForm, parts: [AdapterTensorName.Part: any StoredTensor])] = []
  /// Tensors that are stored whole.
  private var wholes: [(form: StoredForm, tensor: any StoredTensor, isWrapped: Bool)] = []

  /// Opens a file, and gives each of its tensors its place.
  ///
  /// - Throws: `CheckpointError`, with the tensor that has no place in the base.
  init(_ url: URL, of base: any LanguageModel, _ options: AdapterOptions) throws {
    guard let base = base as? DecoderModel else {
      preconditionFailure("\(type(of: base)) has no adapters")
    }
    path = url.path
    self.options = options
    let tensors = try Safetensors.open(url)
    let names = tensors.map { AdapterTensorName($0.name) }
    self.base = Self.shaped(base, for: names)
    forms = Dictionary(
      uniqueKeysWithValues: StoredLayout(self.base.parts).forms.map { (Spelling($0.name), $0) })
    for (name, tensor) in zip(names, tensors) { try add(name, tensor) }
  }

  /// The base with what the adapter needs: biases of zero, and a head of its own.
  ///
  /// An adapter may change one of head and embedding and not the other, although the base ties them; of single tokens
  /// PEFT replaces the rows of both.
  private static func shaped(_ base: DecoderModel, for names: [AdapterTensorName]) -> DecoderModel {
    let ends = [
      base.parts.tensorNames.embedding, base.parts.tensorNames.head, Architectures.loadedHead,
    ]
    let unties = names.contains { name in
      name.part != .tokens
        && ends.contains { name.module.hasSuffix(PEFTAdapter.module($0)) || name.module == $0 }
    }
    let biased = Set(names.filter { $0.part == .bias }.map { Spelling("\($0.module).weight") })
    let tensors = StoredLayout(base.parts).forms.filter { biased.contains(Spelling($0.name)) }
      .flatMap(\.tensors)
    let roles = tensors.compactMap { base.names.blockTensor($0.name)?.role }
    var parts = base.parts
    parts.isTied = parts.isTied && !unties
    parts.biases.formUnion(parts.rolesBiased(with: roles))
    return base.shaped(as: parts)
  }

  private mutating func add(_ name: AdapterTensorName, _ tensor: any StoredTensor) throws {
    let stored = name.part == nil ? name.module : "\(name.module).weight"
    guard let form = form(stored), fits(form, name.part) else { throw stranger(tensor) }
    guard let part = name.part else {
      return wholes.append((form, tensor, name.isWrapped))
    }
    let names = [name.module, PEFTAdapter.module(form.name)]
    guard part == .tokens || names.contains(where: options.selects) else {
      throw fault(
        "tensor '\(tensor.name)' is of a module that adapter_config.json does not select "
          + "('target_modules', 'exclude_modules', 'layers_to_transform', 'modules_to_save'), so PEFT would "
          + "not load it")
    }
    let place = modules.firstIndex { $0.form.name == form.name }
    if place == nil { modules.append((form, [:])) }
    guard modules[place ?? modules.count - 1].parts.updateValue(tensor, forKey: part) == nil else {
      throw fault("tensor '\(tensor.name)' stands twice, under another name")
    }
  }

  /// The base's tensor of a name; adapters of a body alone leave out what stands before it.
  private func form(_ name: String) -> StoredForm? {
    let prefix = Architectures.of(base)?.bodyPrefix ?? ""
    let isHead = name == Architectures.loadedHead
    return forms[Spelling(name)] ?? forms[Spelling(prefix + name)]
      ?? (isHead ? forms[Spelling(base.parts.tensorNames.head)] : nil)
  }

  /// Whether a tensor can have a part: norms have none, and an embedding has parts of its own.
  private func fits(_ form: StoredForm, _ part: AdapterTensorName.Part?) -> Bool {
    switch part {
    case nil: true
    case .tokens: form.shape.count == 2
    case .embeddingA, .embeddingB: form.name == base.names.embedding
    case .magnitude: form.shape.count == 2 && options.hasMagnitudes
    case .a, .b, .bias: form.shape.count == 2 && form.name != base.names.embedding
    }
  }

  private func fault(_ reason: String) -> CheckpointError {
    .badAdapter(file: path, reason: reason)
  }

  private func stranger(_ tensor: any StoredTensor) -> CheckpointError {
    fault(
      "tensor '\(tensor.name)' belongs to no matrix of the base, or is of a kind that is not "
        + "supported; is it the adapter's own base? Else merge the adapter with PEFT")
  }

  /// What the file makes of the base.
  ///
  /// - Throws: `CheckpointError`, with the tensor that has another shape or is missing.
  func changes() throws -> AdapterChanges {
    var values = try replacements()
    var factors: [AdapterChanges.Factors] = []
    let order = Dictionary(
      uniqueKeysWithValues: base.parameters.layout.names.enumerated().map { ($1, $0) })
    for (form, parts) in modules {
      let module = AdapterModule(form, parts, options, path: path)
      factors += try module.factors()
      values = try module.values(values, of: base.parameters)
    }
    guard !factors.isEmpty || !values.isEmpty else { throw fault("it changes nothing") }
    // A base's own tensors come in the order of the layout.
    func place(_ name: String) -> Int { order[name] ?? 0 }
    return AdapterChanges(
      factors.sorted { place($0.target) < place($1.target) },
      values.sorted { place($0.key) < place($1.key) }.map { ($0.key, $0.value) }, of: base)
  }

  /// Tensors that are stored whole, where they are not the base's own.
  ///
  /// PEFT stores a head or an embedding beside its factors, and loads whatever has the name of one of the model's own
  /// tensors; what stands under the name of an adapted module's is loaded if there are factors for it.
  private func replacements() throws -> [String: Tensor] {
    var values: [String: Tensor] = [:]
    for (form, stored, isWrapped) in wholes {
      guard stored.shape == form.shape else {
        throw CheckpointError.badTensor(
          stored.name, file: path, reason: "is shaped \(stored.shape), the base's \(form.shape)")
      }
      let tensor = try stored.read()
      if tensor == form.joined(base.parameters) { continue }
      let module = form.name.replacing(".bias", with: ".weight")
      guard !isWrapped || modules.contains(where: { $0.form.name == module }) else {
        throw fault(
          "tensor '\(stored.name)' replaces that of a module which has no factors, so PEFT would not load it"
        )
      }
      for part in form.split(tensor) { values[part.name] = part.tensor }
    }
    return values
  }
}
