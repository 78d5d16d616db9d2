/// A template's text with a weight; in files also plain text, which weighs 1.
package struct WeightedText: Codable, Sendable, Equatable {
  package let text: String
  package let weight: Double

  package init(_ text: String, weight: Double = 1) {
    self.text = text
    self.weight = weight
  }

  private enum CodingKeys: String, CodingKey {
    case text, weight
  }

  package init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      self.init(text)
      return
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try container.decode(String.self, forKey: .text),
      weight: try container.decodeIfPresent(Double.self, forKey: .weight) ?? 1)
  }
}
