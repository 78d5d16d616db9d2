import Diffing
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Recordings of large passes")
struct RecordedPassTests {
  private let model = TinyModels.llama(layers: 2)
  private let text = TokenBatch(TinyModels.rows([3, 7, 1, 5, 7, 2]))

  @Test("what lies in a file is what would be in memory, whatever rows are computed at once")
  func filed() {
    let sites = Set(model.sites)
    let held = RecordedPass(model, text, sites: sites)
    let perToken = sites.count * model.shape.width
    for tokens in [1, 6, 10] {
      let filed = RecordedPass(model, text, sites: sites, holding: tokens * perToken / 2)
      for site in sites { expectClose(filed[site], held[site], tolerance: 1e-6, "\(site)") }
    }
  }

  @Test("what is kept is kept by each pass for itself")
  func apart() {
    let site = ActivationSite.residualPost(layer: 0), other = TinyModels.llama(seed: 3)
    let first = RecordedPass(model, text, sites: [site], holding: 0)
    let second = RecordedPass(other, text, sites: [site], holding: 0)
    #expect(first[site] != second[site])
    expectClose(first[site], model.forward(text, recording: [site])[site], tolerance: 1e-6)
  }
}
