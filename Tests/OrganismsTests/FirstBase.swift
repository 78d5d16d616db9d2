import Foundation
import TestSupport
import Transformers
import Worlds

@testable import Organisms

/// The organisms of this checkout, and the first committed base that they are planted in.
struct FirstBase {
  let library: Library
  let base: Base

  init() throws {
    library = try Library(Fixtures.repository.appending(path: "Organisms"), models: Fixtures.models)
    base = Base(
      world: library.world, seed: 0,
      model: try HuggingFaceFolder.read(Fixtures.url("bases/hearth-0")).model)
  }
}
