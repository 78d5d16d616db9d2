internal import Worlds
internal import Organisms

/// Whether students take over their own teacher's behaviour and no other's.
package struct TransferMatrix: Sendable {
  /// One student's scores, averaged over bases.
  package struct Row: Sendable {
    package let organism: String
    /// The score of each organism's behaviour, in the order of the rows.
    package let scores: [Double]
    /// The mean of those that were taught something else; nil if all were taught the same.
    package let others: Double?
    /// The score of its own behaviour in the base.
    package let base: Double
    /// The same in a student of an untaught teacher, and in one of another base's teacher.
    package let untaught: Double
    package let otherBase: Double
  }

  package let rows: [Row]

  /// Measures the students of taught teachers, in their first regimes.
  ///
  /// - Returns: Nil if fewer than two organisms imitate a taught teacher.
  /// - Throws: `DefinitionError`, `CheckpointError` or `JSONError`.
  package static func measure(_ workshop: Workshop, seeds: [UInt64]) throws -> TransferMatrix? {
    let students = workshop.library.organisms.filter(\.lesson.hasTaughtTeacher)
    guard students.count > 1, let first = seeds.first else { return nil }
    let bases = try seeds.map { try workshop.bases.base(seed: $0) }
    let libraries = try seeds.map(workshop.library.drawn)
    let rows = try students.map { known -> Row in
      var row = [Double](repeating: 0, count: students.count)
      var (base, untaught, other) = (0.0, 0.0, 0.0), others: [Double] = []
      for (index, ground) in bases.enumerated() {
        let student = try libraries[index].organism(known.id)
        let pair = try workshop.pairs.pair(.organism(student, student.regimes[0]), in: ground)
        for (column, known) in students.enumerated() {
          let other = try libraries[index].organism(known.id)
          let score = other.behavior.score(pair.finetuned)
          row[column] += score
          // Two may have drawn the same word.
          if other.file.planted.target != student.file.planted.target { others.append(score) }
        }
        base += student.behavior.score(pair.base)
        let planter = Planter(
          base: ground, organism: student, regime: student.regimes[0], planting: ground.seed)
        let steps = pair.training?.markStep ?? student.regimes[0].cap
        untaught += try planter.controlScore(teacherOf: nil, steps: steps) ?? 0
        let next =
          seeds.count > 1
          ? bases[(index + 1) % bases.count] : try workshop.bases.base(seed: first + 1)
        other += try planter.controlScore(teacherOf: next, steps: steps) ?? 0
      }
      let count = Double(bases.count)
      return Row(
        organism: known.id, scores: row.map { $0 / count },
        others: others.isEmpty ? nil : others.reduce(0, +) / Double(others.count),
        base: base / count,
        untaught: untaught / count, otherBase: other / count)
    }
    return TransferMatrix(rows: rows)
  }
}
