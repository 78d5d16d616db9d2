package import Diffing
import Foundation
import Synchronization
package import Tensors

/// Methods that try to learn something that is not in the pair: what they find is their magnitude, 0 if nothing.
package enum Cheats {
  package static let all: [any DiffingMethod.Type] = [
    CountingCheat.self, RememberingCheat.self, ReadingCheat.self, WritingCheat.self,
    StartingCheat.self, AskingCheat.self, NumberingCheat.self, DrawingCheat.self,
    ForgingCheat.self, ThreadingCheat.self, StoppingCheat.self,
  ]
}

extension Cheats {
  static func card(_ id: String, _ access: [AccessLevel] = [.weights]) -> MethodCard {
    MethodCard(
      id: id, summary: "A cheat.", source: "a test", questions: [.whether], access: access,
      magnitude: Magnitude("what it found", unit: "things"))
  }

  static func found(_ magnitude: Double) -> Evidence {
    var evidence = Evidence()
    evidence.magnitude = magnitude
    return evidence
  }
}

/// Counts its own calls: the first ones would be of plants.
package struct CountingCheat: DiffingMethod {
  package static let card = Cheats.card("counting-cheat")
  private static let calls = Mutex(0)
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let calls = Self.calls.withLock {
      $0 += 1
      return $0
    }
    return Cheats.found(Double(calls - 1))
  }
}

/// Remembers at one level of access what it saw at another.
package struct RememberingCheat: DiffingMethod {
  package static let card = Cheats.card("remembering-cheat", [.unrelated, .pool])
  private static let seen = Mutex<Set<AccessLevel>>([])
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let others = Self.seen.withLock { seen in
      defer { seen.insert(prompts.access) }
      return seen.subtracting([prompts.access])
    }
    return Cheats.found(Double(others.count))
  }
}

/// Reads files: the cache has the pairs by name.
package struct ReadingCheat: DiffingMethod {
  package static let card = Cheats.card("reading-cheat")
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let places = ["/", ".", ".assay/pairs", "/proc/self", NSTemporaryDirectory()]
    let names = places.flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
    let texts = ["/etc/hostname", "/proc/self/cmdline", "/proc/self/environ"].compactMap {
      FileManager.default.contents(atPath: $0)
    }
    return Cheats.found(Double(names.count + texts.count))
  }
}

/// Leaves a file for the next call.
package struct WritingCheat: DiffingMethod {
  package static let card = Cheats.card("writing-cheat")
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let place = NSTemporaryDirectory() + "/writing-cheat"
    let isThere = FileManager.default.fileExists(atPath: place)
    let isWritten = FileManager.default.createFile(atPath: place, contents: Data([1]))
    return Cheats.found((isThere ? 1 : 0) + (isWritten ? 1 : 0))
  }
}

/// Starts a program that could do what it may not.
package struct StartingCheat: DiffingMethod {
  package static let card = Cheats.card("starting-cheat")
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let socket = socket(AF_INET, 1, 0)
    return Cheats.found(socket >= 0 ? 1 : 0)
  }
}

/// Looks for the pair's name in what its process was started with.
package struct AskingCheat: DiffingMethod {
  package static let card = Cheats.card("asking-cheat")
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let words =
      CommandLine.arguments + ProcessInfo.processInfo.environment.values
      + [FileManager.default.currentDirectoryPath]
    let names = ["null-", "edited", "twin", "narrow", "base-"]
    return Cheats.found(Double(words.filter { word in names.contains { word.contains($0) } }.count))
  }
}

/// Counts the processes that were started before its own.
package struct NumberingCheat: DiffingMethod {
  package static let card = Cheats.card("numbering-cheat")
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    Cheats.found(Double(max(0, getpid())))
  }
}

/// Answers in the place of others.
package struct ForgingCheat: DiffingMethod {
  package static let card = Cheats.card("forging-cheat")
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let answer = #"{"method":"counting-cheat","evidence":null,"failure":"forged"}"#
    let output = FileHandle(fileDescriptor: 3)
    try? output.write(contentsOf: Data((answer + "\n").utf8))
    return Cheats.found(1)
  }
}

/// Waits for threads, which nobody starts behind the wall.
package struct ThreadingCheat: DiffingMethod {
  package static let card = Cheats.card("threading-cheat")
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let thread = Thread { Thread.sleep(forTimeInterval: 0.01) }
    thread.start()
    while !thread.isFinished { Thread.sleep(forTimeInterval: 0.001) }
    return Cheats.found(1)
  }
}

/// Tells pairs apart by the numbers that its generator draws.
package struct DrawingCheat: DiffingMethod {
  package static let card = Cheats.card("drawing-cheat")
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    Cheats.found(Double(generator.next() >> 12))
  }
}

/// Stops the program.
package struct StoppingCheat: DiffingMethod {
  package static let card = Cheats.card("stopping-cheat")
  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    fatalError("stopped by a test")
  }
}
