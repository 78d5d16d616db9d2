internal import Foundation

/// The process's largest resident memory so far, in bytes.
package func peakMemory() -> Int {
  var usage = rusage()
  #if os(Linux)
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Int(usage.ru_maxrss) * 1024
  #else
    unsafe getrusage(RUSAGE_SELF, &usage)
    return Int(usage.ru_maxrss)
  #endif
}
