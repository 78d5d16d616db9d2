public import Tensors

extension Tensor {
  /// Whether numbers in nats are more than rounding: 2·10⁻⁵, as the root of the mean square.
  public var exceedsRounding: Bool { dot(scalars, scalars) > 4e-10 * Float(count) }
}
