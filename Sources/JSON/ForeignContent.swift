package import Foundation

/// What often lies where a file of another kind should be.
package enum ForeignContent {
  /// Names what some bytes are, and what to do about it.
  ///
  /// - Parameter start: The first bytes of a file; a few hundred do.
  /// - Returns: A clause such as "it is a Git LFS pointer, …"; nil if nothing is recognised.
  package static func named(_ start: some Collection<UInt8>) -> String? {
    if start.isEmpty { return "it is empty; copy or download it again" }
    let bytes = Array(start.prefix(512))
    let text = String(decoding: bytes, as: UTF8.self).lowercased()
    let word = text.drop(while: \.isWhitespace)
    if text.hasPrefix("version https://git-lfs") {
      return "it is a Git LFS pointer, not the file itself; 'git lfs pull' in its folder fetches it"
    }
    if word.hasPrefix("<!doctype html") || word.hasPrefix("<html") || word.hasPrefix("<?xml") {
      return "it is a web page, not the file itself; download it again"
    }
    if bytes.starts(with: [0x1F, 0x8B]) { return "it is gzip-compressed; unpack it first" }
    if bytes.starts(with: Array("PK".utf8) + [3, 4]) || bytes.starts(with: [0x80, 0x02]) {
      return "it is a pickle of PyTorch or a zip archive; save the model as safetensors"
    }
    if bytes.starts(with: Array("GGUF".utf8)) {
      return "it is a GGUF file; Assay reads safetensors"
    }
    if bytes.allSatisfy({ $0 == 0 }) { return "it holds zeros only; copy or download it again" }
    return nil
  }
}

/// Files that can be read whole: no folders, pipes or devices, which would never end.
package enum RegularFile {
  /// Whether something stands under a name, be it a link that leads nowhere.
  package static func isThere(_ url: URL) -> Bool { kind(url) != nil }

  /// What stands under a name, as `S_IFREG`, links not followed; nil if nothing does.
  package static func kind(_ url: URL) -> mode_t? {
    var info = stat()
    return unsafe lstat(url.path, &info) == 0 ? info.st_mode & S_IFMT : nil
  }

  /// Why a file cannot be read; nil if it can.
  ///
  /// - Parameters:
  ///   - url: The file; links are followed.
  ///   - limit: How many bytes are too many.
  package static func fault(_ url: URL, limit: Int = .max) -> String? {
    var info = stat()
    guard unsafe stat(url.path, &info) == 0 else {
      switch errno {
      case EACCES: return "permission denied"
      case ELOOP: return "a link that leads to itself"
      case ENAMETOOLONG: return "the name is too long"
      default: return isThere(url) ? "it is a link to a file that is not there" : "no such file"
      }
    }
    switch info.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: return "it is a folder"
    default: return "it is a pipe, a socket or a device, not a file"
    }
    guard Int(info.st_size) <= limit else {
      return
        "it has \(info.st_size) bytes, more than the \(limit) that such a file can sensibly have"
    }
    return unsafe access(url.path, R_OK) == 0 ? nil : "permission denied"
  }
}
