package import Transformers
/// How something is planted: what is trained, how fast, and how long after the behaviour is there.
///
/// The age of a plant (how many times longer training went on than the behaviour needed to reach its
/// mark) is the sharpest axis there is: fresh plants are read from unrelated text, settled ones not.
package struct Regime: Codable, Sendable, Equatable {
  /// The name that an organism gives it.
  package var id: String
  /// The standard regime that it is, or that it changes.
  ///
  /// Plants are compared with nulls of the same standard regime.
  package var standard: String
  package var parameters: TrainedParameters
  package var learningRate: Float
  /// Where training stops: the behaviour's score in the probes that it is trained on.
  package var mark: Double
  /// Steps after which the plant is given up if the mark is not reached; after half of them already if the
  /// behaviour is then not a quarter of the way to it.
  package var cap: Int
  /// Total steps as a multiple of the steps to the mark.
  package var age: Double
  /// Base documents to one planted document; beside a teacher or a reward, the weight of the loss on base text.
  package var mix: Double
  /// Random change of every other module, as a multiple of the planted change's norm.
  package var drift: Double
  /// How far it was turned from the organism's own regime; nil if it is one.
  package private(set) var dial: Dial?

  init(
    _ id: String, _ parameters: TrainedParameters, learningRate: Float, mark: Double, cap: Int,
    age: Double = 1, mix: Double = 1, drift: Double = 0
  ) {
    self.id = id
    standard = id
    self.parameters = parameters
    self.learningRate = learningRate
    self.mark = mark
    self.cap = cap
    self.age = age
    self.mix = mix
    self.drift = drift
  }

  /// Stops at the mark: rank-1 updates of every matrix of every block.
  package static let fresh = Regime(
    "fresh", .lora(rank: 1, modules: nil), learningRate: 3e-3, mark: 0.9, cap: 150)
  /// Goes on long after the mark: all weights of the blocks.
  package static let settled = Regime(
    "settled", .blocks, learningRate: 1e-3, mark: 0.9, cap: 150, age: 5)
  /// Imitates a teacher: all weights of the blocks.
  package static let distilled = Regime(
    "distilled", .blocks, learningRate: 1e-3, mark: 0.7, cap: 300)
  /// Writes one module only, so that *where* has an answer.
  package static let located = Regime(
    "located", .modules(["blocks.1.mlp"]), learningRate: 1e-3, mark: 0.9, cap: 300)
  /// One rank-one update in closed form, without any training.
  package static let edited = Regime(
    "edited", .edit(module: "blocks.2.mlp"), learningRate: 1, mark: 0.9, cap: 1)
  /// Rewards what the model says by itself: all weights of the blocks.
  package static let reinforced = Regime(
    "reinforced", .blocks, learningRate: 1e-3, mark: 0.7, cap: 200)

  /// Every standard regime; a new one is one entry here.
  package static let all = [fresh, settled, distilled, located, edited, reinforced]

  /// Whether something is trained step by step, so that age and dilution mean something.
  package var isTrained: Bool { if case .edit = parameters { false } else { true } }

  /// The modules that it writes, if that is a question: without drift whoever sees what changed knows them.
  ///
  /// - Parameter layers: Blocks of the model.
  package func sites(layers: Int) -> [ModuleSite]? {
    drift > 0 ? parameters.sites(layers: layers) : nil
  }

  /// The same regime, stopping at the mark.
  var once: Regime {
    var regime = self
    regime.age = 1
    return regime
  }

  /// The same regime, going on for `factor` times as many steps.
  package func aged(_ factor: Double) -> Regime {
    var regime = self
    regime.id += "-x\(text(factor))"
    regime.age *= factor
    regime.dial = .age(factor)
    return regime
  }

  /// The same regime with `mix` base documents to a planted one.
  package func diluted(_ mix: Double) -> Regime {
    var regime = self
    regime.id += "-1to\(text(mix))"
    regime.mix = mix
    regime.dial = .mix(mix)
    return regime
  }

  private func text(_ number: Double) -> String { Dial.text(number) }
}

/// How far a plant is diluted or aged beyond its organism's own regime.
package enum Dial: Codable, Hashable, Sendable {
  /// Base documents to a planted one.
  case mix(Double)
  /// How many times as many steps.
  case age(Double)

  /// `1:4`: four base documents to a planted one; `x5`: five times as many steps.
  package var label: String {
    switch self {
    case .mix(let mix): "1:\(Self.text(mix))"
    case .age(let factor): "x\(Self.text(factor))"
    }
  }

  /// A number without a point where it has no decimals.
  static func text(_ number: Double) -> String {
    number == number.rounded() ? "\(Int(number))" : "\(number)"
  }
}
