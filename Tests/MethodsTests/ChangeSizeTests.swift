import Diffing
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Methods

@Suite("Sizes of changes")
struct ChangeSizeTests: KnownChangeSuite {
  @Test("rounding is told from training by the bits")
  func rounding() throws {
    var finetuned = base
    for name in base.parameters.layout.names {
      finetuned.parameters[name] = base.parameters[name].map { $0 * (1 + 0x1p-9) }
    }
    let norm = try KnownChange.evidence(WeightNorm(), finetuned, access: .weights)
    #expect(norm.exhibits.first?.title == "Bits: rounding only")
  }

  @Test("rows are counted, not the numbers in them")
  func rows() throws {
    var finetuned = base
    for name in [module, "model.layers.2.mlp.down_proj.weight"] {
      var tensor = base.parameters[name]
      for column in 0..<tensor.columns { tensor[3, column] += 1 }
      finetuned.parameters[name] = tensor
    }
    let norm = try KnownChange.evidence(WeightNorm(), finetuned, access: .weights)
    #expect(norm.exhibits.first?.title == "Bits: a few rows changed")
  }

  @Test("what was frozen did not decay")
  func frozen() throws {
    var finetuned = base
    finetuned.parameters[module] = base.parameters[module].scaled(by: 0.75)
    let pair = try ModelPair(base: base, finetuned: finetuned)
    let frozen = ChangeSize("model.layers.0.mlp.down_proj.weight", of: pair)
    #expect(frozen.square(decay: -0.25) == 0 && frozen.baseSquare > 0)
    #expect(ChangeSize(module, of: pair).square(decay: -0.25) == 0)
  }

  @Test("how many numbers moved by less than each step")
  func unmoved() throws {
    let tensor = base.parameters[module]
    let step = 5e-3 * tensor.norm / Float(tensor.count).squareRoot()
    var finetuned = base
    finetuned.parameters[module] = tensor.map { $0 + step }
    let pair = try ModelPair(base: base, finetuned: finetuned)
    let audit = BitAudit(pair, [ChangeSize(module, of: pair)]).tensors[0]
    #expect(audit.unmoved == [0, 1])
  }

  /// A tensor some of whose rows are scaled when they are read.
  private final class Scaled: FormedTensor {
    let tensor: Tensor
    let factors: [Int: Float]
    init(_ tensor: Tensor, _ factors: [Int: Float]) {
      (self.tensor, self.factors) = (tensor, factors)
    }
    func form(_ rows: Range<Int>, into window: Matrix) {
      window.copy(Matrix(tensor).rows(rows))
      for (row, factor) in factors where rows.contains(row) {
        let place = row - rows.lowerBound
        window.rows(place..<place + 1).scale(by: factor)
      }
    }
  }

  @Test("of a tensor that is read by groups of rows every group counts")
  func groups() throws {
    let base = TinyModels.llama(layers: 1, isTied: true, vocabulary: 700_000)
    let name = base.names.embedding, tensor = base.parameters[name], last = tensor.rows - 1
    let rounded: Float = 1 + 0x1p-9
    for factors in [[0: rounded, last: 2], [0: 2, last: rounded]] {
      let finetuned = base.with(base.parameters.replacing([name: Scaled(tensor, factors)]))
      let pair = try ModelPair(base: base, finetuned: finetuned)
      #expect(pair.rowGroups(of: name).count > 1)
      let change = ChangeSize(name, of: pair)
      let expected = factors.reduce(0.0) { sum, entry in
        let step = Double(Tensor(Array(tensor.row(entry.key))).norm * (entry.value - 1))
        return sum + step * step
      }
      #expect(abs(change.square / expected - 1) < 1e-5)
      #expect(pair.tensorsWithDirections == [name])
      let audit = BitAudit(pair, [change]).tensors[0]
      #expect(audit.changed == 24 && audit.changedRows == 2 && !audit.isRounding)
    }
  }
}
