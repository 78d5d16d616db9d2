internal import Diffing
internal import Tensors

/// Numbers of some tensors in their order, the largest first: of very many as large a sample as is sorted in a moment.
struct OrderedNumbers {
  let tensors: [Tensor]
  /// How many numbers there are in all.
  let count: Int
  private let sorted: [Float]

  private static let most = 1 << 20

  init(_ tensors: [Tensor]) {
    self.tensors = tensors
    let count = tensors.reduce(0) { $0 + $1.count }
    self.count = count
    guard count > Self.most else {
      sorted = tensors.flatMap(\.scalars).sorted(by: >)
      return
    }
    // Drawn, since evenly spaced ones would all be of a few columns.
    var generator = SeededGenerator(seed: 0, for: "ordered numbers")
    sorted = tensors.flatMap { tensor in
      (0..<Int(Double(tensor.count) / Double(count) * Double(Self.most))).map { _ in
        tensor[generator.index(below: tensor.count)]
      }
    }.sorted(by: >)
  }

  /// The least of so large a share of the numbers, one at least.
  func limit(_ share: Double) -> Float {
    guard !sorted.isEmpty else { return .infinity }
    let place = Int((share * Double(sorted.count)).rounded(.up)) - 1
    return sorted[min(max(place, 0), sorted.count - 1)]
  }
}
