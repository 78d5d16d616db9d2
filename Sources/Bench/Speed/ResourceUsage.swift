internal import Foundation

/// What the system says this process has used so far.
private func resourceUsage() -> rusage {
  var usage = rusage()
  #if os(Linux)
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  #else
    unsafe getrusage(RUSAGE_SELF, &usage)
  #endif
  return usage
}

/// The process's largest resident memory so far, in bytes.
package func peakMemory() -> Int {
  // Linux counts kibibytes, macOS bytes.
  #if os(Linux)
    Int(resourceUsage().ru_maxrss) * 1024
  #else
    Int(resourceUsage().ru_maxrss)
  #endif
}

/// Processor time of this process so far, in seconds.
package func processorSeconds() -> Double {
  let usage = resourceUsage()
  func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
  return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
