/// Checks what json-c's strict mode lets pass.
///
/// json-c 0.16 accepts duplicate keys (the last wins), NaN and Infinity, `1.`, raw control
/// characters in strings and lone surrogates, and clamps integers beyond 64 bits. This scanner walks
/// the bytes once and throws on each of them; json-c then parses. Keys are compared by their bytes.
struct StrictScanner {
  let bytes: [UInt8]
  let file: String
  private let isLenient: Bool
  private var offset = 0
  private var path: [String] = []
  /// Where keys with a zero character stand: json-c would end them there.
  private(set) var keysWithZero: [Range<Int>] = []

  /// As deep as any document of ours could sensibly be.
  static let depthLimit = 200

  init(_ bytes: [UInt8], file: String, isLenient: Bool = false) {
    self.bytes = bytes
    self.file = file
    self.isLenient = isLenient
  }

  /// Throws the first `JSONError` of the document.
  mutating func check() throws(JSONError) {
    skipSpace()
    try value()
    skipSpace()
    if offset < bytes.count { throw fault("text after the end of the document") }
  }

  private func fault(_ reason: String) -> JSONError {
    .syntax(file: located(offset), offset: offset, reason: reason)
  }

  /// The file with the line of a byte.
  private func located(_ offset: Int) -> String {
    "\(file):\(JSONLocator.line(of: offset, in: bytes))"
  }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      offset += 1
    }
  }

  private mutating func take(_ character: Character) -> Bool {
    guard next == character.asciiValue else { return false }
    offset += 1
    return true
  }

  private mutating func value() throws(JSONError) {
    guard let byte = next else { throw fault("the document ends early") }
    if path.count > Self.depthLimit { throw fault("nested too deep") }
    switch Character(UnicodeScalar(byte)) {
    case "{": try object()
    case "[": try array()
    case "\"": _ = try string()
    case "-" where bytes[offset...].starts(with: "-Infinity".utf8): try undefined("-Infinity")
    case "N": try undefined("NaN")
    case "I": try undefined("Infinity")
    case "-", "0"..."9": try number()
    case "t": try word("true")
    case "f": try word("false")
    case "n": try word("null")
    default: throw fault("no value starts like this")
    }
  }

  private mutating func word(_ word: String) throws(JSONError) {
    guard bytes[offset...].starts(with: word.utf8) else { throw fault("expected '\(word)'") }
    offset += word.utf8.count
  }

  /// Python writes these, though JSON has no such numbers.
  private mutating func undefined(_ name: String) throws(JSONError) {
    let start = offset
    try word(name)
    guard !isLenient else { return }
    offset = start
    throw fault("\(name) is no number of JSON")
  }

  private mutating func object() throws(JSONError) {
    offset += 1
    var keys: Set<Spelling> = []
    skipSpace()
    if take("}") { return }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw fault("expected a key") }
      let start = offset
      let key = try string()
      if key.utf8.contains(0) { keysWithZero.append(start..<offset) }
      path.append(key)
      guard keys.insert(Spelling(key)).inserted else {
        throw .duplicateKey(file: located(start), path: path.joined(separator: "."), offset: start)
      }
      skipSpace()
      guard take(":") else { throw fault("expected ':'") }
      skipSpace()
      try value()
      path.removeLast()
      skipSpace()
      if take("}") { return }
      guard take(",") else { throw fault("expected ',' or '}'") }
    }
  }

  private mutating func array() throws(JSONError) {
    offset += 1
    skipSpace()
    if take("]") { return }
    var index = 0
    while true {
      path.append(String(index))
      skipSpace()
      try value()
      path.removeLast()
      index += 1
      skipSpace()
      if take("]") { return }
      guard take(",") else { throw fault("expected ',' or ']'") }
    }
  }

  private mutating func digits() throws(JSONError) {
    guard let first = next, (0x30...0x39).contains(first) else { throw fault("expected a digit") }
    while let byte = next, (0x30...0x39).contains(byte) { offset += 1 }
  }

  private mutating func number() throws(JSONError) {
    let start = offset
    _ = take("-")
    if !take("0") { try digits() }
    var isInteger = true
    if take(".") {
      isInteger = false
      try digits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      try digits()
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if isInteger, !isLenient, Int64(text) == nil, UInt64(text) == nil {
      throw fault("the integer \(text) does not fit in 64 bits")
    }
    if !isInteger, !isLenient, Double(text)?.isFinite != true {
      throw fault("the number \(text) is too large for a double")
    }
  }

  private mutating func string() throws(JSONError) -> String {
    let start = offset + 1
    offset = start
    var hasEscape = false
    while let byte = next, byte != UInt8(ascii: "\"") {
      if byte < 0x20 { throw fault("a raw control character in a string") }
      offset += 1
      if byte == UInt8(ascii: "\\") {
        hasEscape = true
        try escape()
      }
    }
    guard next != nil else { throw fault("a string without an end") }
    let body = bytes[start..<offset]
    offset += 1
    guard let text = String(validating: body, as: UTF8.self) else {
      throw fault("a string that is not valid UTF-8")
    }
    // Two spellings of one key would escape the duplicate check, so keys are unescaped.
    return hasEscape ? Self.unescaped(text) : text
  }

  private mutating func escape() throws(JSONError) {
    guard let byte = next else { throw fault("the document ends early") }
    offset += 1
    switch Character(UnicodeScalar(byte)) {
    case "\"", "\\", "/", "b", "f", "n", "r", "t": return
    case "u":
      let unit = try hexadecimal()
      if (0xDC00...0xDFFF).contains(unit) { throw fault("a lone surrogate") }
      guard (0xD800...0xDBFF).contains(unit) else { return }
      guard take("\\"), take("u"), (0xDC00...0xDFFF).contains(try hexadecimal()) else {
        throw fault("a lone surrogate")
      }
    default: throw fault("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    guard offset + 4 <= bytes.count,
      let unit = UInt32(String(decoding: bytes[offset..<offset + 4], as: UTF8.self), radix: 16)
    else { throw fault("expected four hexadecimal digits") }
    offset += 4
    return unit
  }

  private static func unescaped(_ text: String) -> String {
    var units: [UInt16] = []
    var rest = Array(text.utf16)[...]
    let simple: [Character: UInt16] = ["b": 8, "f": 12, "n": 10, "r": 13, "t": 9]
    while let unit = rest.popFirst() {
      guard unit == 0x5C, let escaped = rest.popFirst() else {
        units.append(unit)
        continue
      }
      let character = UnicodeScalar(escaped).map(Character.init) ?? " "
      if character == "u" {
        units.append(UInt16(String(decoding: rest.prefix(4), as: UTF16.self), radix: 16) ?? 0xFFFD)
        rest = rest.dropFirst(4)
      } else {
        units.append(simple[character] ?? escaped)
      }
    }
    return String(decoding: units, as: UTF16.self)
  }
}
