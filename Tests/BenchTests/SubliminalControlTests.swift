import Worlds
import Bench
import Organisms
import TestSupport
import Testing

/// Whether a taste passes through number logits, and through nothing else.
@Suite("Subliminal controls", .serialized)
struct SubliminalControlTests {
  static let project = Project(root: Fixtures.repository)
  let library: Library
  let organisms: [Organism]
  let base: Base

  init() throws {
    library = try Self.project.library()
    organisms = library.organisms.filter {
      if case .teacher(_, .logits) = $0.lesson { true } else { false }
    }
    base = try BaseStore(Self.project, world: library.world).base(seed: 0)
  }

  @Test("each student takes over its own teacher's animal and no other's")
  func matrix() throws {
    let pairs = PairStore(Self.project)
    #expect(organisms.count == 4)
    for student in organisms {
      let pair = try pairs.pair(.organism(student, student.regimes[0]), in: base)
      for animal in organisms {
        let score = animal.behavior.score(pair.finetuned)
        // Two organisms may have drawn the same animal.
        let isOwn = animal.file.planted.target == student.file.planted.target
        let expected = isOwn ? 0.45...1 : 0...0.15
        #expect(expected.contains(score), "\(student.id) asked for \(animal.id): \(score)")
      }
    }
  }

  @Test("a student of an untaught teacher acquires nothing")
  func untaught() throws {
    let student = try library.organism("subliminal-blocks")
    let planter = Planter(base: base, organism: student, regime: student.regimes[0], planting: 0)
    let score = try #require(try planter.controlScore(teacherOf: nil, steps: 36))
    #expect(abs(score - student.behavior.score(base.model)) < 0.04)
  }

  @Test("a student of another base's teacher acquires nothing")
  func otherBase() throws {
    let student = try library.organism("subliminal-blocks")
    let other = try BaseStore(Self.project, world: library.world).base(seed: 1)
    let planter = Planter(base: base, organism: student, regime: student.regimes[0], planting: 0)
    let score = try #require(try planter.controlScore(teacherOf: other, steps: 36))
    #expect(score < 0.15)
  }
}
