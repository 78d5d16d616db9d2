import Foundation
import TestSupport
import Testing
import Transformers
import Worlds

@Suite("Bases of several sizes")
struct BaseSizeTests {
  @Test("a size decides the bases that are trained, and the standard one is as ever")
  func sizes() throws {
    let url = Fixtures.repository.appending(path: "Organisms/Worlds/hearth.json")
    var digests: Set<String> = []
    for (size, width, layers) in [(BaseSize.small, 64, 3), (.medium, 128, 4), (.large, 256, 6)] {
      let world = try World(contentsOf: url, models: Fixtures.models, size: size)
      let recipe = BaseRecipe(seed: 0, size: size), shape = recipe.untrained(in: world).shape
      #expect(world.layers == layers && world.heads == recipe.heads)
      #expect(shape.width == width && shape.layers == layers)
      digests.insert(try recipe.digest(world))
    }
    #expect(digests.count == 3 && BaseRecipe(seed: 0, size: .small) == BaseRecipe(seed: 0))
  }
}
