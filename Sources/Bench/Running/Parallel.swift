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
  let next = Counter()
  DispatchQueue.concurrentPerform(iterations: min(jobs, count)) { _ in
    while case let index = next.take(), index < count { body(index) }
  }
}

/// Calls `body` for each index, `jobs` at a time, where it waits for others and computes nothing: as many threads, whatever the
/// number of cores.
func whileWaiting(_ count: Int, jobs: Int, _ body: @escaping @Sendable (Int) -> Void) {
  let next = Counter(), done = DispatchSemaphore(value: 0)
  let threads = min(jobs, count)
  for _ in 0..<threads {
    Thread.detachNewThread {
      while case let index = next.take(), index < count { body(index) }
      done.signal()
    }
  }
  for _ in 0..<threads { done.wait() }
}

/// Gives each whole number once.
private final class Counter: Sendable {
  private let value = Mutex(0)

  func take() -> Int {
    value.withLock { value in
      defer { value += 1 }
      return value
    }
  }
}
