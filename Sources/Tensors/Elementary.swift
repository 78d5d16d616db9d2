internal import Foundation

/// eˣ.
package func exponential(_ x: Float) -> Float { exp(x) }

/// The natural logarithm.
package func logarithm(_ x: Double) -> Double { log(x) }
