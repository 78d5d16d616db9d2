internal import Tensors
internal import Transformers

/// A model's tensor with something added to it.
final class ChangedTensor: FormedTensor {
  private let parameters: Parameters
  private let name: String
  private let add: @Sendable (Range<Int>, Matrix) -> Void

  /// - Parameter add: Adds to the numbers of some rows.
  init(
    of parameters: Parameters, _ name: String,
    add: @escaping @Sendable (Range<Int>, Matrix) -> Void
  ) {
    self.parameters = parameters
    self.name = name
    self.add = add
  }

  func form(_ rows: Range<Int>, into window: Matrix) {
    window.copy(parameters.rows(rows, of: name))
    add(rows, window)
  }
}

extension LanguageModel {
  /// The model with something added to some tensors, formed when they are read.
  ///
  /// - Parameter add: Adds to the numbers of some rows of the tensor of a name.
  func adding(
    to names: [String], _ add: @escaping @Sendable (String, Range<Int>, Matrix) -> Void
  ) -> any LanguageModel {
    let parameters = parameters
    var model: any LanguageModel = self
    model.parameters = parameters.replacing(
      Dictionary(
        uniqueKeysWithValues: names.map { name in
          (name, ChangedTensor(of: parameters, name) { add(name, $0, $1) })
        }))
    return model
  }
}
