internal import Foundation
internal import Synchronization

#if canImport(FoundationNetworking)
  internal import FoundationNetworking
#endif

/// One exchange with a server, with an end to how long it may take and how much may come.
///
/// Redirects are not followed: a key would go to whoever they name.
final class HTTPExchange: NSObject, URLSessionDataDelegate {
  /// What came back.
  struct Answer {
    let status: Int
    let body: Data
    /// Seconds after which the server wants to be asked again.
    let retryAfter: Double?
  }

  /// Why nothing came back.
  enum Fault: Error, Equatable {
    case timedOut
    /// Nobody waits for it any more.
    case stopped
    case tooLarge
    case failed(String)
  }

  private struct State {
    var body = Data()
    var response: HTTPURLResponse?
    var fault: Fault?
  }

  private let state = Mutex(State())
  private let done = DispatchSemaphore(value: 0)
  private let limit: Int

  private init(limit: Int) { self.limit = limit }

  /// Asks, and waits.
  ///
  /// - Parameters:
  ///   - request: What is asked.
  ///   - seconds: How long the whole may take, however slowly something comes.
  ///   - limit: Bytes that may come.
  ///   - isStopped: Whether the answer is not wanted any more.
  static func answer(
    to request: URLRequest, within seconds: Double, limit: Int, unless isStopped: () -> Bool
  ) throws(Fault) -> Answer {
    let exchange = HTTPExchange(limit: limit)
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = seconds
    let session = URLSession(configuration: configuration, delegate: exchange, delegateQueue: nil)
    let task = session.dataTask(with: request)
    task.resume()
    let end = Date(timeIntervalSinceNow: seconds)
    var isDone = false
    while !isDone, end.timeIntervalSinceNow > 0, !isStopped() {
      isDone = exchange.done.wait(timeout: .now() + min(0.1, seconds)) == .success
    }
    // A task that ends by itself and is cancelled at the same time ends the process (swift-corelibs-foundation 3292).
    if isDone, !exchange.isCutOff {
      session.finishTasksAndInvalidate()
    } else {
      session.invalidateAndCancel()
    }
    guard isDone else { throw isStopped() ? .stopped : .timedOut }
    return try exchange.answer()
  }

  private var isCutOff: Bool { state.withLock { $0.fault == .tooLarge } }

  private func answer() throws(Fault) -> Answer {
    let (body, response, fault) = state.withLock { ($0.body, $0.response, $0.fault) }
    if let fault { throw fault }
    guard let response else { throw .failed("nothing came") }
    return Answer(
      status: response.statusCode, body: body,
      retryAfter: response.value(forHTTPHeaderField: "Retry-After").flatMap(Double.init))
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
    completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) { completionHandler(nil) }

  /// A server that asks for a password gets none: its refusal is what is told.
  func urlSession(
    _ session: URLSession, task: URLSessionTask, didReceive challenge: URLAuthenticationChallenge,
    completionHandler:
      @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
  ) {
    #if canImport(FoundationNetworking)
      completionHandler(.rejectProtectionSpace, nil)
    #else
      let isOfServer =
        challenge.protectionSpace.authenticationMethod == NSURLAuthenticationMethodServerTrust
      completionHandler(isOfServer ? .performDefaultHandling : .rejectProtectionSpace, nil)
    #endif
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    state.withLock { $0.response = response as? HTTPURLResponse }
    completionHandler(.allow)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    let isTooLarge = state.withLock { state in
      guard state.fault == nil, state.body.count + data.count <= limit else {
        state.fault = .tooLarge
        return true
      }
      state.body.append(data)
      return false
    }
    // Of a flood much is under way still: nobody waits for its end.
    if isTooLarge { done.signal() }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    state.withLock { state in
      guard let error, state.fault == nil else { return }
      let code = (error as? URLError)?.code
      state.fault = code == .timedOut ? .timedOut : .failed(Self.reason(code, error))
    }
    done.signal()
  }

  private static func reason(_ code: URLError.Code?, _ error: any Error) -> String {
    switch code {
    case .cannotConnectToHost: "nobody listens there"
    case .cannotFindHost: "there is no such host"
    case .badURL, .unsupportedURL: "its address is none that can be asked"
    case .networkConnectionLost: "the connection broke off"
    case .secureConnectionFailed, .serverCertificateUntrusted: "its certificate is not trusted"
    default: "\((error as NSError).localizedDescription)"
    }
  }
}
