import Bench
import Cheats
import Foundation

// The project's folder is the only argument.
let project = Project(root: URL(filePath: CommandLine.arguments[1], directoryHint: .isDirectory))
try MethodWorker(try Workshop(project), methods: Cheats.all).serve()
