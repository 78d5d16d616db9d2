internal import Foundation

/// What a process may still ask for.
package enum Memory {
  /// Bytes: what the machine has, or what a limit on the address space leaves.
  package static var available: Int {
    let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    var limit = rlimit()
    #if canImport(Darwin)
      let isKnown = unsafe getrlimit(RLIMIT_AS, &limit) == 0
    #else
      let isKnown = unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0
    #endif
    guard isKnown, limit.rlim_cur < UInt64(Int.max) else { return physical }
    return min(physical, max(0, Int(limit.rlim_cur) - used))
  }

  /// Bytes of address space in use; 0 where the system does not say.
  private static var used: Int {
    let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    let pages = text?.split(separator: " ").first.flatMap { Int($0) } ?? 0
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
