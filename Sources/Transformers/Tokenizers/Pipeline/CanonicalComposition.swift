internal import Foundation

/// A text in composed form (NFC).
///
/// Foundation's own composition takes a vowel or consonant too many at the ends of the conjoining Hangul ranges
/// (U+1100 U+1176 becomes U+AE4C, which is U+1101 U+1161), and leaves parts that came out of other characters
/// apart. Hangul composes with itself alone, so runs of it are put together here, by the arithmetic of the Unicode
/// Standard (chapter 3.12), and only what lies between is left to Foundation.
enum CanonicalComposition {
  private static let leads = UInt32(0x1100)..<0x1113, vowels = UInt32(0x1161)..<0x1176
  private static let tails = UInt32(0x11A8)..<0x11C3, syllables = UInt32(0xAC00)..<0xD7A4
  /// The syllables of a lead, and of a lead with a vowel.
  private static let perLead = UInt32(588), perVowel = UInt32(28)

  /// The text with every character composed.
  static func composed(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isHangul) else {
      return text.precomposedStringWithCanonicalMapping
    }
    return runs(text.unicodeScalars).map { run in
      run.first.map(isHangul) == true
        ? syllables(run) : String(run).precomposedStringWithCanonicalMapping
    }.joined()
  }

  /// Conjoining parts and what is made of them.
  private static func isHangul(_ scalar: Unicode.Scalar) -> Bool {
    (0x1100..<0x1200).contains(scalar.value) || syllables.contains(scalar.value)
  }

  private static func runs(_ scalars: String.UnicodeScalarView) -> [Substring.UnicodeScalarView] {
    var runs: [Substring.UnicodeScalarView] = [], rest = scalars[...]
    while let first = rest.first {
      let isOne = isHangul(first), run = rest.prefix { isHangul($0) == isOne }
      runs.append(run)
      rest = rest[run.endIndex...]
    }
    return runs
  }

  private static func syllables(_ run: Substring.UnicodeScalarView) -> String {
    var result = String.UnicodeScalarView()
    for scalar in run {
      if let last = result.last, let whole = whole(last.value, scalar.value) {
        result.removeLast()
        result.append(whole)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// A lead and a vowel, or a syllable without a tail and a tail, in one character.
  private static func whole(_ first: UInt32, _ second: UInt32) -> Unicode.Scalar? {
    if leads.contains(first), vowels.contains(second) {
      let place =
        (first - leads.lowerBound) * perLead + (second - vowels.lowerBound) * perVowel
      return Unicode.Scalar(syllables.lowerBound + place)
    }
    let isOpen = syllables.contains(first) && (first - syllables.lowerBound) % perVowel == 0
    guard isOpen, tails.contains(second) else { return nil }
    return Unicode.Scalar(first + second - tails.lowerBound + 1)
  }
}
