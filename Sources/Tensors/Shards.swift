internal import Dispatch
internal import Foundation
internal import Synchronization

/// Runs a fixed number of independent pieces of work on one or two threads.
///
/// How work is cut into shards never depends on the machine, and each shard writes to memory of its
/// own, so results are the same bytes with any number of threads.
package enum Shards {
  /// Pieces that one batch is cut into, whatever the cores.
  package static let count = 4

  private static let threadLimit = Atomic(ProcessInfo.processInfo.activeProcessorCount)

  /// The number of threads that shards may use at once; at least 1.
  package static var threads: Int {
    get { threadLimit.load(ordering: .relaxed) }
    set { threadLimit.store(max(1, newValue), ordering: .relaxed) }
  }

  /// Calls `body` for every index below `count`, in any order.
  package static func forEach(_ count: Int = Shards.count, _ body: @Sendable (Int) -> Void) {
    let lanes = min(threads, count)
    guard lanes > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    DispatchQueue.concurrentPerform(iterations: lanes) { lane in
      for index in stride(from: lane, to: count, by: lanes) { body(index) }
    }
  }

  /// Cuts `0..<total` into `count` ranges whose lengths differ by one at most.
  package static func ranges(of total: Int, count: Int = Shards.count) -> [Range<Int>] {
    (0..<count).map { total * $0 / count..<total * ($0 + 1) / count }
  }
}
