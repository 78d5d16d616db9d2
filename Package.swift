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
/// A dependency may carry no unsafe flags, so another package gets these rooms without them.
let isDependency = ["/.build/checkouts/", "/SourcePackages/checkouts/"].contains {
  Context.packageDirectory.contains($0)
}
let isOptimised = !isChecked && !isDependency
let optimised: [SwiftSetting] =
  isOptimised ? [.unsafeFlags(["-O"], .when(configuration: .debug))] : []
/// Above `Tensors` and `JSON`, an unsafe pointer does not compile.
let safe: [SwiftSetting] = [.strictMemorySafety()]

func room(_ name: String, _ dependencies: [Target.Dependency], _ extra: [SwiftSetting]) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: name == "Methods" ? ["METHODS.md"] : [],
    swiftSettings: strict + extra)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: strict + optimised)
}

let package = Package(
  name: "assay",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "assay", targets: ["assay"]),
    // The contract of methods, with the models and tensors that it speaks of.
    .library(name: "Diffing", targets: ["Diffing", "Transformers", "Tensors"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "CJSONC", pkgConfig: "json-c",
      providers: [.apt(["libjson-c-dev"]), .brew(["json-c"])]),
    // Headers of the system alone.
    .systemLibrary(name: "CRenaming"),
    // Forking and sealing of the processes that methods run in.
    .target(name: "CIsolation"),
    .target(
      name: "CKernels",
      cSettings: isOptimised ? [.unsafeFlags(["-O3"], .when(configuration: .debug))] : []),
    room("JSON", ["CJSONC"], optimised),
    room("Files", ["JSON", "CRenaming"], optimised + safe),
    room("Tensors", ["COpenBLAS", "CKernels"], optimised),
    room(
      "Transformers",
      ["Tensors", "JSON", "Files", .product(name: "HeapModule", package: "swift-collections")],
      optimised + safe),
    room("Diffing", ["Files", "Tensors", "Transformers"], optimised + safe),
    room("Dictionaries", ["Tensors"], optimised + safe),
    room("Circuits", ["Tensors", "Transformers"], optimised + safe),
    room(
      "Methods", ["JSON", "Tensors", "Transformers", "Diffing", "Dictionaries", "Circuits"],
      optimised + safe),
    room("Worlds", ["JSON", "Files", "Tensors", "Transformers"], optimised + safe),
    room("Organisms", ["JSON", "Files", "Tensors", "Transformers", "Worlds"], optimised + safe),
    room(
      "Scoring", ["Tensors", "Transformers", "Diffing", "Worlds", "Organisms"], optimised + safe),
    room(
      "Bench",
      [
        "JSON", "Files", "Tensors", "Transformers", "Diffing", "Dictionaries", "Methods", "Worlds",
        "Organisms", "Scoring", "CIsolation", .product(name: "Logging", package: "swift-log"),
      ],
      optimised + safe),
    room(
      "Statistics", ["JSON", "Files", "Tensors", "Diffing", "Organisms", "Scoring", "Bench"],
      optimised + safe),
    room(
      "Reporting",
      [
        "Tensors", "Transformers", "Diffing", "Worlds", "Organisms", "Scoring", "Bench",
        "Statistics",
      ], safe),
    // `Web` is made into one script by `.ci/page`, which is committed: a build needs no Node.
    .target(
      name: "Dashboard",
      dependencies: [
        "JSON", "Transformers", "Diffing", "Organisms", "Scoring", "Bench", "Statistics",
        "Reporting",
      ],
      exclude: ["Web"], resources: [.copy("Resources")], swiftSettings: strict + safe),
    .executableTarget(
      name: "assay",
      dependencies: [
        "JSON", "Files", "Tensors", "Transformers", "Diffing", "Dictionaries", "Methods", "Worlds",
        "Organisms", "Scoring", "Bench", "Statistics", "Reporting", "Dashboard",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    .target(
      name: "TestSupport",
      dependencies: [
        "JSON", "Tensors", "Transformers", "Diffing", "Organisms", "Scoring", "Bench",
      ],
      path: "Tests/TestSupport", swiftSettings: strict + optimised),
    // Methods that cheat, and a worker that runs them.
    .target(
      name: "Cheats", dependencies: ["Tensors", "Diffing"], path: "Tests/Cheats",
      swiftSettings: strict + optimised),
    .executableTarget(
      name: "CheatingWorker", dependencies: ["Bench", "Cheats"], path: "Tests/CheatingWorker",
      swiftSettings: strict + optimised),
    tests("JSONTests", ["JSON"]),
    tests("FilesTests", ["JSON", "Files"]),
    tests("TensorsTests", ["Tensors", "CKernels"]),
    tests("TransformersTests", ["JSON", "Files", "Tensors", "Transformers"]),
    tests("DiffingTests", ["JSON", "Tensors", "Transformers", "Diffing"]),
    tests("DictionariesTests", ["JSON", "Tensors", "Dictionaries"]),
    tests("CircuitsTests", ["JSON", "Tensors", "Transformers", "Circuits"]),
    tests(
      "MethodsTests", ["JSON", "Tensors", "Transformers", "Diffing", "Dictionaries", "Methods"]),
    tests("WorldsTests", ["JSON", "Tensors", "Transformers", "Worlds", "Organisms"]),
    tests("OrganismsTests", ["JSON", "Tensors", "Transformers", "Worlds", "Organisms"]),
    tests(
      "ScoringTests", ["Tensors", "Transformers", "Diffing", "Worlds", "Organisms", "Scoring"]),
    tests(
      "BenchTests",
      [
        "JSON", "Files", "Tensors", "Transformers", "Diffing", "Dictionaries", "Methods", "Worlds",
        "Organisms", "Scoring", "Bench", "Cheats", "CheatingWorker",
      ]),
    tests(
      "StatisticsTests",
      ["JSON", "Tensors", "Diffing", "Organisms", "Scoring", "Bench", "Statistics"]),
    tests(
      "ReportingTests",
      [
        "JSON", "Transformers", "Diffing", "Worlds", "Organisms", "Scoring", "Bench",
        "Statistics", "Reporting",
      ]),
    tests(
      "DashboardTests",
      [
        "JSON", "Transformers", "Diffing", "Organisms", "Scoring", "Bench", "Statistics",
        "Reporting", "Dashboard",
      ]),
    tests("CommandLineTests", ["JSON", "assay"]),
    tests(
      "RecoveryTests",
      [
        "JSON", "Tensors", "Transformers", "Diffing", "Methods", "Worlds", "Organisms", "Scoring",
        "Bench", "Statistics",
      ]),
    tests("HouseTests", ["JSON", "Diffing", "Methods", "Organisms", "Bench"]),
  ],
  swiftLanguageModes: [.v6]
)
