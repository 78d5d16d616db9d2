import Foundation
import Synchronization

/// A server of HTTP on this machine that answers each request as a test says, one connection a request.
final class AnswerServer: Sendable {
  /// A request: what stands above its body, and the body.
  struct Request: Sendable {
    let head, body: String

    /// A number of the body, such as `"n":3`.
    func number(_ key: String) -> Int? {
      body.firstRange(of: "\"\(key)\":").flatMap {
        Int(body[$0.upperBound...].prefix { $0.isNumber })
      }
    }
  }

  /// What is sent back, and how long it takes; the connection ends with it.
  struct Response: Sendable {
    var status = 200
    var headers: [String] = []
    var body = ""
    /// Sent instead of everything else.
    var raw: String?
    var seconds = 0.0

    /// Answers of a model.
    static func answers(_ texts: [String]) -> Response {
      let choices = texts.map { "{\"message\":{\"role\":\"assistant\",\"content\":\"\($0)\"}}" }
      return Response(body: "{\"choices\":[\(choices.joined(separator: ","))]}")
    }
  }

  let port: UInt16
  private let socket: Int32
  private let seen = Mutex<[Request]>([])

  var requests: [Request] { seen.withLock(\.self) }
  var url: String { "http://127.0.0.1:\(port)/v1" }

  /// Starts a server.
  ///
  /// - Parameter answer: Given a request and how many came before it.
  init(_ answer: @escaping @Sendable (Request, Int) -> Response) throws {
    let listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    socket = listener
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
          && getsockname(listener, pointer, &length) == 0
      }
    }
    guard isBound else { throw POSIXError(.EADDRINUSE) }
    port = UInt16(bigEndian: address.sin_port)
    let server = Unowned(self)
    Thread.detachNewThread {
      while case let connection = accept(listener, nil, nil), connection >= 0 {
        Thread.detachNewThread { server.server?.serve(connection, answer) }
      }
    }
  }

  deinit {
    shutdown(socket, Int32(SHUT_RDWR))
    close(socket)
  }

  /// The accepting thread does not keep the server.
  private struct Unowned: Sendable {
    nonisolated(unsafe) weak var server: AnswerServer?
    init(_ server: AnswerServer) { self.server = server }
  }

  private func serve(_ connection: Int32, _ answer: (Request, Int) -> Response) {
    defer { close(connection) }
    guard let request = Self.read(connection) else { return }
    let before = seen.withLock { seen in
      seen.append(request)
      return seen.count - 1
    }
    let response = answer(request, before)
    Thread.sleep(forTimeInterval: response.seconds)
    let head =
      [
        "HTTP/1.1 \(response.status) X", "Content-Length: \(response.body.utf8.count)",
        "Connection: close",
      ]
      + response.headers
    Self.write(
      connection, response.raw ?? head.joined(separator: "\r\n") + "\r\n\r\n" + response.body)
  }

  private static func read(_ connection: Int32) -> Request? {
    var bytes: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      bytes += buffer[..<count]
      let text = String(decoding: bytes, as: UTF8.self)
      guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
      let head = text[..<end.lowerBound], body = text[end.upperBound...]
      let length = head.lowercased().firstRange(of: "content-length: ").flatMap {
        Int(head.lowercased()[$0.upperBound...].prefix { $0.isNumber })
      }
      if body.utf8.count >= length ?? 0 { return Request(head: String(head), body: String(body)) }
    }
  }

  private static func write(_ connection: Int32, _ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
