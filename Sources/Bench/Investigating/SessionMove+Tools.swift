internal import Foundation
internal import JSON
internal import Scoring
package import Transformers

extension SessionMove {
  /// Reads a call of a tool.
  ///
  /// - Parameters:
  ///   - tool: Its name.
  ///   - arguments: JSON text, as the agent wrote it.
  /// - Throws: `MoveFault`.
  package init(tool: String, arguments: String, _ tokenizer: any Tokenizer) throws {
    let call = try ToolArguments(tool, arguments)
    switch tool {
    case "prompts": self = .prompts(try call.text("containing"))
    case "next": self = .ask(.next(row: try call.needed("prompt", call.number)))
    case "say": self = .ask(.say(row: try call.needed("prompt", call.number)))
    case "exchange":
      self = .ask(
        .exchange(
          row: try call.needed("prompt", call.number),
          module: try Self.module(try call.needed("module", call.text))))
    case "verdict": self = .verdict(try Self.verdict(call, tokenizer))
    default: throw MoveFault("There is no tool '\(Printable.quoted(tool))'.")
    }
  }

  private static func verdict(_ call: ToolArguments, _ tokenizer: any Tokenizer) throws -> Verdict {
    guard try call.needed("planted", call.truth) else { return .abstention }
    let token = try call.text("token")
    let direction = try call.text("direction")
    let named = try token.map { token in
      guard let direction else { throw MoveFault("'verdict' needs 'direction' beside 'token'.") }
      return try hypothesis(token, direction, tokenizer)
    }
    return Verdict(
      hypothesis: named, row: try call.number("prompt"),
      site: try call.text("module").map(module))
  }
}

/// The arguments of a call, each of the type that it should have.
private struct ToolArguments {
  /// Bytes that the arguments of a call may have.
  private static let longest = 4096

  private let tool: String
  private let values: JSONValue

  init(_ tool: String, _ text: String) throws {
    guard text.utf8.count <= Self.longest else {
      throw MoveFault("The arguments of a call have at most \(Self.longest) bytes.")
    }
    let values = try? JSON.parse(
      Data((text.isEmpty ? "{}" : text).utf8), file: "arguments", isLenient: true)
    guard let values, case .object = values else {
      throw MoveFault("The arguments of '\(Printable.quoted(tool))' are no JSON object.")
    }
    self.tool = tool
    self.values = values
  }

  /// A value that has to be there.
  func needed<Value>(_ name: String, _ read: (String) throws -> Value?) throws -> Value {
    guard let value = try read(name) else { throw MoveFault("'\(tool)' needs '\(name)'.") }
    return value
  }

  func text(_ name: String) throws -> String? {
    switch values[name] {
    case nil, .null?: nil
    case .string(let text)?: text
    default: throw fault(name, "a text")
    }
  }

  func number(_ name: String) throws -> Int? {
    switch values[name] {
    case nil, .null?: nil
    case .integer(let number)?: Int(number)
    // Some models quote their numbers.
    case .string(let text)? where Int(text) != nil: Int(text)
    default: throw fault(name, "a whole number")
    }
  }

  func truth(_ name: String) throws -> Bool? {
    switch values[name] {
    case nil, .null?: nil
    case .bool(let value)?: value
    default: throw fault(name, "true or false")
    }
  }

  private func fault(_ name: String, _ type: String) -> MoveFault {
    MoveFault("'\(name)' of '\(tool)' should be \(type).")
  }
}
