internal import JSON

/// Which modules `adapter_config.json` selects; PEFT passes over the tensors of all others.
struct AdapterSelection {
  private enum Names {
    /// Whole names of modules, or their last parts.
    case parts([Spelling])
    /// A regular expression of the whole name.
    case pattern(Regex<AnyRegexOutput>)
    /// Every linear map but the head.
    case allLinear

    func holds(_ module: String) -> Bool {
      switch self {
      case .parts(let parts):
        parts.contains {
          $0 == Spelling(module)
            || module.utf8.reversed().starts(with: ".\($0.text)".utf8.reversed())
        }
      case .pattern(let pattern):
        module.wholeMatch(of: pattern) != nil
      case .allLinear: module != "lm_head"
      }
    }
  }

  private let targets: Names
  private let excluded: Names?
  private let layers: [Int]?

  /// - Parameters:
  ///   - document: The file.
  ///   - defaults: What PEFT adapts if it is not told.
  ///   - fault: Makes the error of a reason.
  /// - Throws: What `fault` makes.
  init(
    _ document: JSONValue, defaults: [String], _ fault: (String) -> CheckpointError
  ) throws {
    func names(_ key: String) throws -> Names? {
      switch document[key] {
      case nil, .null: return nil
      case .string("all-linear") where key == "target_modules": return .allLinear
      case .string(let text):
        guard let pattern = try? Regex(text) else {
          throw fault("'\(key)' is a pattern that is not supported; list the modules")
        }
        return .pattern(pattern)
      case .array(let entries):
        return .parts(
          try entries.map { entry in
            guard case .string(let text) = entry else { throw fault("'\(key)' should list names") }
            return Spelling(text)
          })
      default: throw fault("'\(key)' should list names of modules")
      }
    }
    targets = try names("target_modules") ?? .parts(defaults.map { Spelling($0) })
    excluded = try names("exclude_modules")
    switch document["layers_to_transform"] {
    case nil, .null: layers = nil
    case .integer(let layer): layers = [Int(layer)]
    case .array(let entries):
      layers = try entries.map { entry in
        guard case .integer(let layer) = entry else {
          throw fault("'layers_to_transform' should list numbers")
        }
        return Int(layer)
      }
    default: throw fault("'layers_to_transform' should list numbers")
    }
  }

  /// Whether a module is selected.
  func holds(_ module: String) -> Bool {
    guard targets.holds(module), !(excluded?.holds(module) ?? false) else { return false }
    guard let layers, !layers.isEmpty else { return true }
    let parts = module.split(separator: ".")
    guard let place = parts.firstIndex(of: "layers"), place + 1 < parts.count,
      let layer = Int(parts[place + 1])
    else { return false }
    return layers.contains(layer)
  }
}
