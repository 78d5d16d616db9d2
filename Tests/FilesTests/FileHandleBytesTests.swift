import Foundation
import Testing

@testable import Files

@Suite("Bytes from a place of a file")
struct FileHandleBytesTests {
  private let content = Data((0..<10_000).map { UInt8($0 % 251) })

  private func handle() throws -> FileHandle {
    let file = FileManager.default.temporaryDirectory.appending(path: "bytes-\(UUID().uuidString)")
    try content.write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try FileHandle(forReadingFrom: file)
  }

  @Test("are those that stand there, wherever the handle stands")
  func places() throws {
    let handle = try handle()
    for (count, offset) in [(10_000, 0), (9000, 1000), (5, 7), (1, 9999), (0, 10_000)] {
      #expect(handle.bytes(count, at: UInt64(offset)) == content[offset..<offset + count])
    }
    #expect(try handle.offset() == 0)
  }

  @Test("are nil where there are fewer")
  func missing() throws {
    let handle = try handle()
    #expect(handle.bytes(1, at: 10_000) == nil)
    #expect(handle.bytes(10_001, at: 0) == nil)
    #expect(handle.bytes(2, at: 9999) == nil)
  }
}
