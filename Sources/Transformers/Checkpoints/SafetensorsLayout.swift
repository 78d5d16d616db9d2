internal import Files
package import Foundation
internal import JSON

extension Safetensors {
  /// What a file holds and where, which is known before any number is: so files are written piece by piece.
  package struct Layout: Sendable {
    /// A tensor of the file.
    package struct Part: Sendable {
      package let name: String
      package let type: ScalarType
      package let shape: [Int]

      package init(_ name: String, _ type: ScalarType, _ shape: [Int]) {
        self.name = name
        self.type = type
        self.shape = shape
      }

      fileprivate var byteCount: Int { shape.reduce(type.size, *) }
    }

    /// The length and the header, behind which the numbers of all tensors follow each other.
    let head: Data
    /// Where each tensor lies in the file.
    fileprivate let places: [String: Range<Int>]

    /// Lays tensors out in the order in which they are given.
    package init(_ parts: [Part]) {
      var offset = 0
      var members: [(key: String, value: JSONValue)] = [
        ("__metadata__", .object([("format", .string("pt"))]))
      ]
      var ranges: [(String, Range<Int>)] = []
      for part in parts {
        let end = offset + part.byteCount
        members.append((part.name, Self.entry(part, offset..<end)))
        ranges.append((part.name, offset..<end))
        offset = end
      }
      var header = Array(JSON.text(of: .object(members)).utf8)
      // Padding to eight bytes keeps the numbers aligned for readers that map the file.
      header += Array(repeating: 0x20, count: (8 - header.count % 8) % 8)
      let head =
        Data((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }) + Data(header)
      self.head = head
      places = Dictionary(
        ranges.map {
          ($0.0, $0.1.lowerBound + head.count..<$0.1.upperBound + head.count)
        }
      ) { first, _ in first }
    }

    private static func entry(_ part: Part, _ range: Range<Int>) -> JSONValue {
      .object([
        ("dtype", .string(part.type.rawValue)),
        ("shape", .array(part.shape.map { .integer(Int64($0)) })),
        (
          "data_offsets",
          .array([.integer(Int64(range.lowerBound)), .integer(Int64(range.upperBound))])
        ),
      ])
    }
  }

  /// Where numbers of a file that is being written go: behind those that its tensor has already.
  package struct Sink {
    private let handle: FileHandle
    private var rest: [String: Range<Int>]

    fileprivate init(_ handle: FileHandle, _ layout: Layout) {
      self.handle = handle
      rest = layout.places
    }

    /// Whether every tensor has all its numbers.
    fileprivate var isFull: Bool { rest.values.allSatisfy(\.isEmpty) }

    /// Writes a tensor's next numbers.
    ///
    /// - Precondition: The layout has such a tensor of 32-bit floats, and room in it.
    /// - Throws: What the system says.
    package mutating func write(_ numbers: [Float], to name: String) throws {
      try write(unsafe numbers.withUnsafeBytes { unsafe Data($0) }, name)
    }

    /// Writes a tensor's next integers, of 64 bits.
    ///
    /// - Precondition: The layout has such a tensor of 64-bit integers, and room in it.
    /// - Throws: What the system says.
    package mutating func write(_ numbers: [Int], to name: String) throws {
      let numbers = numbers.map(Int64.init)
      try write(unsafe numbers.withUnsafeBytes { unsafe Data($0) }, name)
    }

    private mutating func write(_ bytes: Data, _ name: String) throws {
      guard let place = rest[name], bytes.count <= place.count else {
        preconditionFailure("'\(name)' has no room for \(bytes.count) bytes more")
      }
      try handle.seek(toOffset: UInt64(place.lowerBound))
      try handle.write(contentsOf: bytes)
      rest[name] = place.dropFirst(bytes.count)
    }
  }

  /// Writes a file, its numbers piece by piece.
  ///
  /// - Parameters:
  ///   - layout: What is in it.
  ///   - url: Where it should be; what is there is replaced when all is written.
  ///   - fill: Writes the numbers of every tensor.
  /// - Precondition: No number is left out.
  /// - Throws: `FileError.unwritable`, or what `fill` throws; nothing is left behind.
  package static func write(
    _ layout: Layout, to url: URL, _ fill: (inout Sink) throws -> Void
  ) throws {
    try AtomicFile.write(to: url) { handle in
      try handle.write(contentsOf: layout.head)
      var sink = Sink(handle, layout)
      try fill(&sink)
      precondition(sink.isFull, "A tensor of \(url.path) lacks numbers")
    }
  }
}
