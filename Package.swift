// swift-tools-version: 6.2
import PackageDescription

// Plain `swift test` is the benchmark, so the rooms with loops in them are
// optimised in debug builds too. `ASSAY_CHECKED=1` turns that off: the same
// tests then run with every check that an unoptimised build has.
let isChecked = Context.environment["ASSAY_CHECKED"] == "1"

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
let optimised: [SwiftSetting] =
  isChecked ? [] : [.unsafeFlags(["-O"], .when(configuration: .debug))]
/// Above `Tensors` and `JSON`, an unsafe pointer does not compile.
let safe: [SwiftSetting] = [.strictMemorySafety()]

func room(_ name: String, _ dependencies: [Target.Dependency], _ extra: [SwiftSetting]) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: name == "Diffing" ? ["METHODS.md"] : [],
    swiftSettings: strict + extra)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: strict + optimised)
}

let package = Package(
  name: "assay",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "assay", targets: ["assay"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "CJSONC", pkgConfig: "json-c",
      providers: [.apt(["libjson-c-dev"]), .brew(["json-c"])]),
    .target(
      name: "CKernels",
      cSettings: isChecked ? [] : [.unsafeFlags(["-O3"], .when(configuration: .debug))]),
    room("JSON", ["CJSONC"], optimised),
    room("Tensors", ["COpenBLAS", "CKernels"], optimised),
    room("Transformers", ["Tensors", "JSON"], optimised + safe),
    room("Diffing", ["Tensors", "Transformers"], optimised + safe),
    room("Organisms", ["JSON", "Tensors", "Transformers"], optimised + safe),
    room("Scoring", ["Tensors", "Transformers", "Diffing", "Organisms"], optimised + safe),
    room(
      "Bench", ["JSON", "Tensors", "Transformers", "Diffing", "Organisms", "Scoring"],
      optimised + safe),
    room(
      "Reporting", ["Tensors", "Transformers", "Diffing", "Organisms", "Scoring", "Bench"], safe),
    .executableTarget(
      name: "assay",
      dependencies: [
        "JSON", "Tensors", "Transformers", "Diffing", "Organisms", "Scoring", "Bench", "Reporting",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    .target(
      name: "TestSupport",
      dependencies: ["JSON", "Tensors", "Transformers"],
      path: "Tests/TestSupport", swiftSettings: strict + optimised),
    tests("JSONTests", ["JSON"]),
    tests("TensorsTests", ["Tensors", "CKernels"]),
    tests("TransformersTests", ["JSON", "Tensors", "Transformers"]),
    tests("DiffingTests", ["JSON", "Tensors", "Transformers", "Diffing"]),
    tests("OrganismsTests", ["JSON", "Tensors", "Transformers", "Organisms"]),
    tests("ScoringTests", ["Tensors", "Transformers", "Diffing", "Organisms", "Scoring"]),
    tests(
      "BenchTests",
      ["JSON", "Tensors", "Transformers", "Diffing", "Organisms", "Scoring", "Bench", "Reporting"]),
    tests(
      "RecoveryTests",
      ["JSON", "Tensors", "Transformers", "Diffing", "Organisms", "Scoring", "Bench"]),
    tests("HouseTests", ["JSON", "Diffing", "Organisms"]),
  ],
  swiftLanguageModes: [.v6]
)
