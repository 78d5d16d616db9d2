/// The median; of an even number of values the lower of the middle two, so that it is one of them.
///
/// By selection (Hoare, 1961, algorithm 65) in linear time.
///
/// - Parameter values: At least one value, none of them NaN.
public func median(_ values: some Collection<Float>) -> Float {
  var values = Array(values)
  let middle = (values.count - 1) / 2
  return values.withUnsafeMutableBufferPointer { values in
    var low = 0, high = values.count - 1
    while low < high {
      let (left, right) = partition(values, low, high)
      if middle <= right {
        high = right
      } else if middle >= left {
        low = left
      } else {
        break
      }
    }
    return values[middle]
  }
}

/// Splits a range: nothing up to `right` is above anything from `left` on, and all between is the pivot.
private func partition(_ values: UnsafeMutableBufferPointer<Float>, _ low: Int, _ high: Int)
  -> (left: Int, right: Int)
{
  let pivot = values[low + (high - low) / 2]
  var left = low, right = high
  while left <= right {
    while values[left] < pivot { left += 1 }
    while values[right] > pivot { right -= 1 }
    if left <= right {
      values.swapAt(left, right)
      left += 1
      right -= 1
    }
  }
  return (left, right)
}
