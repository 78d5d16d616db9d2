import Testing

@testable import Tensors

@Suite("Memory for floats")
struct FloatBufferTests {
  @Test("of blocks that were given back each is handed out once, and none that gave way to others")
  func largeBlocks() {
    // Nine of 32 MiB, of which eight are kept; nobody writes to more than a page of each.
    let count = 1 << 23
    for _ in 0..<3 {
      let buffers = (0..<9).map { _ in FloatBuffer(undefined: count) }
      for (index, buffer) in buffers.enumerated() { buffer[0] = Float(index) }
      #expect(buffers.map { $0[0] } == (0..<9).map { Float($0) })
    }
  }
}
