internal import Foundation

/// What a process may still ask for.
package enum Memory {
  /// Bytes: what the machine has, or what a limit on the address space leaves.
  package static var available: Int {
    let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    guard let limit else { return physical }
    return min(physical, max(0, limit - used))
  }

  /// Why a limit on the address space leaves no room to work in; nil if there is none, or it is wide enough.
  package static var limitFault: String? {
    limit.flatMap { limitFault($0, processors: ProcessInfo.processInfo.activeProcessorCount) }
  }

  /// The same of a limit in bytes on a machine.
  ///
  /// OpenBLAS asks for 128 MiB for each processor and tries for ever if it gets none, the C library reserves as
  /// much for each thread, and what Swift cannot allocate ends the process: so it is looked at first.
  static func limitFault(_ limit: Int, processors: Int) -> String? {
    let mebibyte = 1 << 20
    let needed = (1024 + 256 * processors) * mebibyte
    guard limit < needed else { return nil }
    return
      "The address space is limited to \(limit / mebibyte) MiB, and Assay needs \(needed / mebibyte) on "
      + "\(processors) processors: raise the limit ('ulimit -v \(needed / 1024)' or more)."
  }

  /// The limit on the address space in bytes, if there is one.
  private static var limit: Int? {
    var limit = rlimit()
    #if canImport(Darwin)
      let isKnown = unsafe getrlimit(RLIMIT_AS, &limit) == 0
    #else
      let isKnown = unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0
    #endif
    return isKnown && limit.rlim_cur < UInt64(Int.max) ? Int(limit.rlim_cur) : nil
  }

  /// Bytes of address space in use; 0 where the system does not say.
  private static var used: Int {
    let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    let pages = text?.split(separator: " ").first.flatMap { Int($0) } ?? 0
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
