internal import Tensors

/// A model's tensor that stays in its file and is read when it is used.
final class FiledTensor: FormedTensor {
  private let stored: any StoredTensor
  private let form: StoredForm
  private let name: String

  /// - Parameters:
  ///   - stored: What the file holds.
  ///   - form: What of it is which tensor.
  ///   - name: The tensor.
  init(_ stored: any StoredTensor, _ form: StoredForm, _ name: String) {
    self.stored = stored
    self.form = form
    self.name = name
  }

  func form(_ rows: Range<Int>, into window: Matrix) {
    do {
      guard form.isPlain else { return try formPart(rows, into: window) }
      let first = rows.lowerBound * window.columns
      try stored.read(first..<first + window.count, into: window)
    } catch {
      // It was read and found sound when the model was opened.
      preconditionFailure("\(error) It was there and sound when the model was opened.")
    }
  }

  /// A part of a tensor that holds several, or that lies the other way round, is had by reading all.
  private func formPart(_ rows: Range<Int>, into window: Matrix) throws {
    let part = form.split(try stored.read()).first { $0.name == name }
    guard let part else { preconditionFailure("'\(name)' is no part of '\(stored.name)'") }
    let matrix = Matrix(part.tensor)
    window.copy(
      matrix.reshaped(rows: matrix.count / window.columns, columns: window.columns).rows(rows))
  }
}
