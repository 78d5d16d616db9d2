internal import Foundation

/// eˣ.
public func exponential(_ x: Float) -> Float { exp(x) }

/// The natural logarithm.
public func logarithm(_ x: Double) -> Double { log(x) }
