import Testing

@testable import Files

@Suite("Memory")
struct MemoryTests {
  @Test(
    "a limit on the address space that OpenBLAS would wait in for ever is a fault, with what to do")
  func limit() throws {
    let gibibyte = 1 << 30
    #expect(Memory.limitFault(2 * gibibyte, processors: 2) == nil)
    #expect(Memory.limitFault(1536 << 20, processors: 2) == nil)
    // Each processor's thread asks for its own.
    let fault = try #require(Memory.limitFault(2 * gibibyte, processors: 8))
    #expect(
      fault.contains("2048 MiB") && fault.contains("3072") && fault.contains("ulimit -v 3145728"))
  }
}
