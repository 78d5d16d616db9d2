package import Diffing

/// Whose code a method is.
package enum MethodCode: Sendable {
  case own(any DiffingMethod)
  case program(ExternalMethod)

  package var card: MethodCard {
    switch self {
    case .own(let method): method.card
    case .program(let program): program.card
    }
  }
}

/// A method at a level of access, with the digest of the code that decides its numbers.
struct MethodRun: Sendable {
  let code: MethodCode
  let access: AccessLevel
  let sources: String

  var card: MethodCard { code.card }
  var row: MethodAtAccess { MethodAtAccess(card.id, access) }

  /// The program that it is; nil if it is Assay's own.
  var program: ExternalMethod? {
    if case .program(let program) = code { program } else { nil }
  }
}

extension MethodRun {
  init(_ code: MethodCode, _ access: AccessLevel, _ digests: SourceDigest) throws {
    let sources =
      switch code {
      case .own(let method): digests.evidence(ofType: "\(type(of: method))")
      case .program(let program): program.contents
      }
    self.init(code: code, access: access, sources: sources)
  }

  init(_ method: any DiffingMethod, _ access: AccessLevel, _ digests: SourceDigest) throws {
    try self.init(.own(method), access, digests)
  }
}
