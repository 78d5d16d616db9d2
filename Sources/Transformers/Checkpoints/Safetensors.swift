internal import Files
package import Foundation
internal import JSON
package import Tensors

/// Reads and writes safetensors files: a length, a JSON header, then the numbers.
package enum Safetensors {
  /// Headers of real models stay far below; what claims more is not a header.
  private static let headerLimit = 100_000_000

  fileprivate struct Header {
    let name: String
    let type: ScalarType
    let shape: [Int]
    let range: Range<Int>
  }

  /// What a number is.
  package enum ScalarType: String, Sendable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    // Known by their sizes alone: buffers that nobody needs may have them.
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case unsigned8 = "U8"
    case bool = "BOOL"

    var size: Int {
      switch self {
      case .float64, .int64: 8
      case .float32, .int32: 4
      case .float16, .bfloat16, .int16: 2
      case .int8, .unsigned8, .bool: 1
      }
    }

    /// What bytes mean; nil of no floats.
    fileprivate var floats: NarrowFloats? {
      switch self {
      case .float64: .doubles
      case .float32: .singles
      case .float16: .halves
      case .bfloat16: .brains
      case .int64, .int32, .int16, .int8, .unsigned8, .bool: nil
      }
    }
  }

  /// A tensor of a file, not read yet.
  package struct Entry: StoredTensor {
    fileprivate let url: URL
    fileprivate let offset: UInt64
    fileprivate let header: Header
    package var name: String { header.name }
    package var shape: [Int] { header.shape }
    package var path: String { url.path }

    package var type: String { header.type.rawValue }
    package var byteCount: Int { header.range.count }

    private var numbers: StoredNumbers {
      StoredNumbers(
        url: url, offset: offset, block: (1, header.type.size),
        count: header.range.count / header.type.size)
    }

    package func read() throws -> Tensor {
      let floats = try floats
      return try numbers.read(self) { floats.numbers($0.bytes) }
    }

    package func numbers(in range: Range<Int>) throws -> [Float] {
      let floats = try floats
      return try numbers.read(range, of: self) { floats.numbers($0.bytes) }
    }

    package func read(_ range: Range<Int>, into window: Matrix) throws {
      try numbers.read(range, of: floats, into: window)
    }

    /// Reads the tensor as integers.
    ///
    /// - Throws: `CheckpointError.badTensor` if it is none of 64-bit integers, `.unreadable`.
    package func integers() throws -> [Int] {
      guard header.type == .int64 else {
        throw CheckpointError.badTensor(
          name, file: path, reason: "dtype \(header.type.rawValue) is not supported here; use I64")
      }
      guard let handle = try? FileHandle(forReadingFrom: url),
        let data = handle.bytes(header.range.count, at: offset)
      else {
        throw CheckpointError.unreadable(file: path, reason: "the system refused to read it")
      }
      return unsafe data.withUnsafeBytes { bytes in
        (0..<data.count / 8).map { index in
          Int(
            unsafe Int64(
              littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self)))
        }
      }
    }

    /// What bytes of the file mean.
    ///
    /// - Throws: `CheckpointError.badTensor` if they are no floats.
    private var floats: NarrowFloats {
      get throws {
        guard let floats = header.type.floats else {
          throw CheckpointError.badTensor(
            name, file: path,
            reason: "dtype \(header.type.rawValue) is not supported; use F32, F16, BF16 or F64")
        }
        return floats
      }
    }
  }

  /// Reads every tensor of a file, as 32-bit floats.
  ///
  /// - Parameter url: The file.
  /// - Returns: Tensors by name.
  /// - Throws: `CheckpointError` if it is truncated, its header is wrong, or tensors overlap, leave
  ///   holes or leave the file.
  package static func read(_ url: URL) throws -> [String: Tensor] {
    Dictionary(try open(url).map { ($0.name, try $0.read()) }) { first, _ in first }
  }

  /// The tensors of a file, each to be read when it is needed, so that no file is in memory whole.
  ///
  /// - Throws: As `read` does.
  package static func open(_ url: URL) throws -> [Entry] {
    let (headers, body) = try readHeader(url)
    return headers.map { header in
      Entry(url: url, offset: UInt64(body + header.range.lowerBound), header: header)
    }
  }

  /// Reads and checks the header alone, so that nothing is loaded for a file that is wrong.
  private static func readHeader(_ url: URL) throws -> ([Header], Int) {
    let file = url.path
    if let reason = RegularFile.fault(url) {
      throw CheckpointError.unreadable(file: file, reason: reason)
    }
    guard let handle = try? FileHandle(forReadingFrom: url),
      let size = try? Int(handle.seekToEnd()), (try? handle.seek(toOffset: 0)) != nil
    else { throw CheckpointError.unreadable(file: file, reason: "the system refused to read it") }
    defer { try? handle.close() }
    try checkKind(handle, file: file)
    let prefix = [UInt8]((try? handle.read(upToCount: 8)) ?? Data())
    guard prefix.count == 8 else {
      throw CheckpointError.truncated(file: file, expected: 8, found: size)
    }
    let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= headerLimit else {
      throw CheckpointError.badHeader(file: file, reason: "it claims a header of \(length) bytes")
    }
    guard length > 0 else {
      throw CheckpointError.badHeader(file: file, reason: "its header is empty")
    }
    let body = 8 + Int(length)
    guard body <= size, let text = try? handle.read(upToCount: Int(length)) else {
      throw CheckpointError.truncated(file: file, expected: body, found: size)
    }
    guard case .object(let members) = try JSON.parse(text, file: file) else {
      throw CheckpointError.badHeader(file: file, reason: "its header is no JSON object")
    }
    let headers = try members.filter { $0.key != "__metadata__" }.map {
      try header($0.key, $0.value, file: file, space: size - body)
    }
    try checkCoverage(headers, file: file, space: size - body)
    return (headers, body)
  }

  /// Recognises what is no safetensors file: its first eight bytes would be read as an absurd length.
  ///
  /// Any beginning is some header's length, 640 that of a pickle: where a header opens behind it, it is one.
  private static func checkKind(_ handle: FileHandle, file: String) throws {
    let start = (try? handle.read(upToCount: 512)) ?? Data()
    let opens = start.dropFirst(8).first == UInt8(ascii: "{")
    if !opens, let reason = ForeignContent.named(start) {
      throw CheckpointError.unreadable(file: file, reason: reason)
    }
    guard (try? handle.seek(toOffset: 0)) != nil else {
      throw CheckpointError.unreadable(file: file, reason: "the system refused to read it")
    }
  }

  private static func header(_ name: String, _ value: JSONValue, file: String, space: Int) throws
    -> Header
  {
    func fault(_ reason: String) -> CheckpointError {
      .badTensor(name, file: file, reason: reason)
    }
    guard case .string(let typeName)? = value["dtype"], case .array(let axes)? = value["shape"],
      case .array(let ends)? = value["data_offsets"]
    else { throw fault("needs a dtype, a shape and data_offsets") }
    guard let type = ScalarType(rawValue: typeName) else {
      throw fault("dtype \(typeName) is not supported; use F32, F16, BF16 or F64")
    }
    let shape = try axes.map { axis in
      guard case .integer(let length) = axis, length >= 0 else { throw fault("has a bad shape") }
      return Int(length)
    }
    guard ends.count == 2, case .integer(let start) = ends[0], case .integer(let end) = ends[1],
      start >= 0, start <= end
    else { throw fault("data_offsets must be two ascending numbers") }
    guard end <= space else {
      throw fault("ends at byte \(end), but the data has \(space) bytes: the file may be truncated")
    }
    var count = type.size
    for axis in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: axis)
      guard !overflow else { throw fault("the shape \(shape) is impossible") }
      count = product
    }
    guard count == Int(end - start) else {
      throw fault("the shape \(shape) needs \(count) bytes, data_offsets give \(end - start)")
    }
    return Header(name: name, type: type, shape: shape, range: Int(start)..<Int(end))
  }

  /// The format demands that tensors follow each other without overlap or hole.
  private static func checkCoverage(_ headers: [Header], file: String, space: Int) throws {
    var end = 0
    for header in headers.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      guard header.range.lowerBound >= end else {
        throw CheckpointError.badTensor(header.name, file: file, reason: "overlaps another tensor")
      }
      guard header.range.lowerBound == end else {
        throw CheckpointError.badTensor(header.name, file: file, reason: "leaves a hole before it")
      }
      end = header.range.upperBound
    }
    guard end == space else {
      throw CheckpointError.badHeader(
        file: file, reason: "\(space - end) bytes belong to no tensor")
    }
  }

  /// The bytes of a file that holds these tensors, in this order.
  ///
  /// - Parameters:
  ///   - tensors: Names, shapes and little-endian numbers.
  ///   - areHalves: Whether these are 16-bit floats instead of 32-bit ones.
  /// - Returns: A safetensors file.
  package static func data(
    _ tensors: [(name: String, shape: [Int], bytes: [UInt8])], areHalves: Bool = false
  ) -> Data {
    let type = areHalves ? ScalarType.float16 : .float32
    var data = Layout(tensors.map { .init($0.name, type, $0.shape) }).head
    for tensor in tensors { data.append(contentsOf: tensor.bytes) }
    return data
  }
}
