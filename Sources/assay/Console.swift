internal import JSON
import Bench
import Foundation
import Synchronization

/// Standard output: what was asked for.
enum Console {
  /// The first error of writing.
  private static let failure = Mutex<Int32?>(nil)

  /// Prints a text; what files put into it does not act on the terminal.
  static func show(_ text: String) { put(Printable.lines(text)) }

  /// Prints JSON text; it stays JSON, and nothing in it acts on the terminal.
  static func showJSON(_ text: String) { put(Printable.json(text)) }

  private static func put(_ text: String) {
    var rest = Array((text + "\n").utf8)[...]
    failure.withLock { failure in
      while failure == nil, !rest.isEmpty {
        let count = rest.withUnsafeBytes { bytes in
          write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
        }
        if count >= 0 {
          rest = rest.dropFirst(count)
        } else if errno != EINTR {
          failure = errno
        }
      }
    }
  }

  /// Ends standard output, after all was printed.
  ///
  /// - Throws: `Lost` if a part of it could not be written: then the caller has not got what was asked for.
  static func finish() throws {
    if let failure = failure.withLock({ $0 }) { throw Lost(isClosed: failure == EPIPE) }
  }

  /// Standard output that nobody got.
  struct Lost: Error, CustomStringConvertible {
    /// Whether the reader went away, which it knows itself.
    let isClosed: Bool
    let description = "standard output cannot be written: the disk may be full."
  }
}

/// What somebody who interrupts a command is told; the exit code is the shell's.
///
/// In a handler only what asks for no memory is safe, so the texts are constants.
enum Interruption {
  private static let numbers = [SIGINT, SIGTERM, SIGHUP]

  /// Of commands that leave nothing half done.
  static func handle() {
    for number in numbers {
      signal(number) { number in
        let text: StaticString = "\nassay: stopped\n"
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        _exit(128 + number)
      }
    }
  }

  /// Of commands that keep what they plant and measure.
  static func handleKeeping() {
    for number in numbers {
      signal(number) { number in
        let text: StaticString = """

          assay: stopped; what was planted and measured so far is kept in .assay, and the same command goes on from it

          """
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        _exit(128 + number)
      }
    }
  }
}
