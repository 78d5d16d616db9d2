internal import Foundation
internal import Synchronization
internal import Tensors

/// Calls `body` for each index, `jobs` at a time; inside, shards then run on one thread.
func inParallel(_ count: Int, jobs: Int, _ body: @Sendable (Int) -> Void) {
  guard jobs > 1 else {
    for index in 0..<count { body(index) }
    return
  }
  let threads = Shards.threads
  Shards.threads = 1
  defer { Shards.threads = threads }
  let next = Mutex(0)
  DispatchQueue.concurrentPerform(iterations: min(jobs, count)) { _ in
    while true {
      let index = next.withLock { value in
        defer { value += 1 }
        return value
      }
      guard index < count else { return }
      body(index)
    }
  }
}
