import Files
import Foundation
import Testing

@Suite("Seals")
struct SealTests {
  @Test("an object comes back as it was sealed")
  func roundTrip() throws {
    let object = Data(#"{"a":1,"b":"{}"}"#.utf8)
    let sealed = Seal.sealed(object)
    #expect(Seal.opened(sealed) == object)
    #expect(String(decoding: sealed, as: UTF8.self).hasPrefix(#"{"a":1,"b":"{}","digest":""#))
  }

  @Test("any changed byte breaks the seal")
  func damage() {
    let sealed = Seal.sealed(Data(#"{"a":1}"#.utf8))
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 1
      #expect(Seal.opened(changed) == nil, "byte \(index)")
    }
    #expect(Seal.opened(sealed.dropLast()) == nil)
    #expect(Seal.opened(Data()) == nil)
  }
}
