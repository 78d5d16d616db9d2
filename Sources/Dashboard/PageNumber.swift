internal import Foundation
internal import JSON
internal import Statistics

extension JSONValue {
  /// A number in four digits, which is more than a page shows; whole numbers, which count something, as they are; null for
  /// none, and for what is no number.
  static func digits(_ value: (some BinaryFloatingPoint)?) -> JSONValue {
    guard let value, value.isFinite else { return .null }
    if let count = Int64(exactly: value) { return .integer(count) }
    return Double(String(format: "%.4g", Double(value))).map { .number($0) } ?? .null
  }

  /// A value with its interval, as parts of an object.
  static func estimate(_ value: Double, _ interval: ConfidenceInterval?) -> [(String, JSONValue)] {
    [
      ("value", .digits(value)), ("low", .digits(interval?.low)),
      ("high", .digits(interval?.high)),
    ]
  }

  static func count(_ value: Int) -> JSONValue { .integer(Int64(value)) }

  static func counts(_ values: some Sequence<Int>) -> JSONValue { .array(values.map(count)) }

  static func texts(_ values: some Sequence<String>) -> JSONValue {
    .array(values.map(JSONValue.string))
  }
}
