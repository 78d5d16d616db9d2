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
  static func answer(to request: URLRequest, within seconds: Double, limit: Int)
    throws(Fault) -> Answer
  {
    let exchange = HTTPExchange(limit: limit)
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = seconds
    let session = URLSession(configuration: configuration, delegate: exchange, delegateQueue: nil)
    let task = session.dataTask(with: request)
    task.resume()
    let isLate = exchange.done.wait(timeout: .now() + seconds) == .timedOut
    session.invalidateAndCancel()
    if isLate { throw .timedOut }
    return try exchange.answer()
  }

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

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    state.withLock { $0.response = response as? HTTPURLResponse }
    completionHandler(.allow)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    let isTooLarge = state.withLock { state in
      guard state.body.count + data.count <= limit else {
        state.fault = .tooLarge
        return true
      }
      state.body.append(data)
      return false
    }
    guard isTooLarge else { return }
    dataTask.cancel()
    // Of a flood much is under way still: nobody waits for its end.
    done.signal()
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
    case .networkConnectionLost: "the connection broke off"
    case .secureConnectionFailed, .serverCertificateUntrusted: "its certificate is not trusted"
    default: "\((error as NSError).localizedDescription)"
    }
  }
}
