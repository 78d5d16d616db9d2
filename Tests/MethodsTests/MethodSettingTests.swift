import Diffing
import JSON
import Methods
import Testing

@Suite("Parameters that are set")
struct MethodSettingTests {
  private func set(_ texts: [String], _ ids: [String] = ["grafting", "perplexity-gap"]) throws
    -> [any DiffingMethod]
  {
    try MethodSetting.apply(try texts.map { try MethodSetting($0) }, to: Methods.chosen(ids))
  }

  @Test("what is set is set, and all else stays")
  func applied() throws {
    let methods = try set([
      "grafting.goal=0.5", "grafting.rows=7", "perplexity-gap.prefixLengths=[2,4]",
    ])
    let grafting = try #require(methods[0] as? Grafting)
    #expect(grafting.goal == 0.5 && grafting.rows == 7 && grafting.points == Grafting().points)
    #expect((methods[1] as? PerplexityGap)?.prefixLengths == 2...4)
    #expect((try set([])[0] as? Grafting)?.goal == Grafting().goal)
  }

  @Test(
    "what cannot be set says why",
    arguments: [
      ("grafting.gaol=1", "Did you mean 'goal'?"), ("grafting", "is no setting"),
      ("goal=1", "is no setting"), ("itda.atoms=3", "not among the chosen"),
      ("grafting.rows=0.5", "grafting.rows"), ("grafting.rows=\"many\"", "grafting.rows"),
      ("grafting.rows=0", "above 0"), ("grafting.goal=-1", "above 0"),
      ("perplexity-gap.prefixLengths=[0,2]", "above 0"), ("grafting.rows=", "is no setting"),
      ("grafting.rows=1 2", "grafting.rows"),
    ])
  func refused(text: String, reason: String) {
    let error = #expect(throws: (any Error).self) { try set([text]) }
    #expect("\(error.map { "\($0)" } ?? "")".contains(reason), "\(text)")
  }

  @Test("every parameter of every method can be set to what it is")
  func everyParameter() throws {
    for type in Methods.all {
      let method = type.init()
      guard case .object(let members) = try JSON.value(of: method) else { continue }
      for member in members {
        let text = "\(method.card.id).\(member.key)=\(try JSON.encode(Held(value: member.value)))"
        let applied = try MethodSetting.apply([try MethodSetting(text)], to: [method])
        #expect(try JSON.encode(applied[0]) == JSON.encode(method), "\(text)")
      }
    }
  }

  /// A tree that is written as it is.
  private struct Held: Encodable {
    let value: JSONValue

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch value {
      case .null: try container.encodeNil()
      case .bool(let value): try container.encode(value)
      case .integer(let value): try container.encode(value)
      case .unsigned(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .string(let value): try container.encode(value)
      case .array(let values): try container.encode(values.map(Held.init))
      case .object(let members):
        try container.encode(
          Dictionary(uniqueKeysWithValues: members.map { ($0.key, Held(value: $0.value)) }))
      }
    }
  }
}
