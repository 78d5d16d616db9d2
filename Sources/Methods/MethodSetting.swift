package import Diffing
internal import Foundation
internal import JSON

/// A parameter of a method and its value, written as `METHOD.PARAMETER=VALUE` with the value in JSON.
package struct MethodSetting: Sendable {
  /// What is wrong with a setting.
  package enum Fault: Error, CustomStringConvertible {
    case form(String)
    case unknownParameter(method: String, String, nearest: String?)
    case otherMethod(String)
    case value(method: String, String, reason: String)

    /// What is wrong, in words.
    package var description: String {
      switch self {
      case .form(let text):
        "'\(text)' is no setting; one looks like grafting.goal=0.9, the value in JSON."
      case .unknownParameter(let method, let name, let nearest):
        "\(method) has no parameter '\(name)'." + (nearest.map { " Did you mean '\($0)'?" } ?? "")
          + " 'assay list methods \(method)' shows them."
      case .otherMethod(let method):
        "A parameter of \(method) is set, which is not among the chosen methods."
      case .value(let method, let name, let reason): "\(method).\(name): \(reason)"
      }
    }
  }

  private let method: String
  private let parameter: String
  private let value: JSONValue

  /// Reads a setting.
  ///
  /// - Throws: `Fault`, or `JSONError` for a value that is no JSON.
  package init(_ text: String) throws {
    let sides = text.split(separator: "=", maxSplits: 1).map(String.init)
    let names = sides[0].split(separator: ".", maxSplits: 1).map(String.init)
    guard sides.count == 2, names.count == 2 else { throw Fault.form(text) }
    (method, parameter) = (names[0], names[1])
    value = try JSON.parse(Data(sides[1].utf8), file: sides[0])
  }

  /// Methods with parameters set, the others as they are.
  ///
  /// - Throws: `Fault` if a method or a parameter is not there, or a value is none that it can have.
  package static func apply(_ settings: [MethodSetting], to methods: [any DiffingMethod]) throws
    -> [any DiffingMethod]
  {
    let known = Set(methods.map(\.card.id))
    if let other = settings.first(where: { !known.contains($0.method) }) {
      throw Fault.otherMethod(other.method)
    }
    return try methods.map { method in
      var result = method
      for setting in settings where setting.method == method.card.id {
        result = try setting.applied(to: result)
      }
      return result
    }
  }

  private func applied<Method: DiffingMethod>(to method: Method) throws -> any DiffingMethod {
    guard case .object(var members) = try JSON.value(of: method) else { return method }
    guard let place = members.firstIndex(where: { $0.key == parameter }) else {
      throw Fault.unknownParameter(
        method: self.method, parameter,
        nearest: nearest(to: parameter, among: members.map(\.key)))
    }
    guard value.isAsPositive(as: members[place].value) else {
      throw Fault.value(
        method: self.method, parameter, reason: "should be above 0, as \(members[place].value) is")
    }
    members[place].value = value
    do {
      return try JSON.decode(Method.self, from: .object(members), file: self.method)
    } catch let error as JSONError {
      throw Fault.value(method: self.method, parameter, reason: "\(error)")
    }
  }
}

extension JSONValue {
  private var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// Whether numbers are above 0 where another value's are, and not below 0 where it is 0.
  fileprivate func isAsPositive(as other: JSONValue) -> Bool {
    if case .array(let own) = self, case .array(let others) = other {
      return own.allSatisfy { value in others.contains { value.isAsPositive(as: $0) } }
    }
    guard let own = number, let other = other.number else { return true }
    return other > 0 ? own > 0 : other < 0 || own >= 0
  }
}
