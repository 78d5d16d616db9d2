import ArgumentParser

struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions",
    abstract: "Prints what completes commands and options in bash, zsh or fish.",
    discussion: """
      For bash: 'assay completions bash > ~/.local/share/bash-completion/completions/assay'; for zsh: \
      'assay completions zsh > _assay' in a folder of $fpath; for fish: \
      'assay completions fish > ~/.config/fish/completions/assay.fish'.
      """)

  @OptionGroup(title: "What is told") var log: LogOptions

  @Argument(help: "The shell: bash, zsh or fish.")
  var shell: Shell

  enum Shell: String, CaseIterable, ExpressibleByArgument {
    case bash, zsh, fish

    var completed: CompletionShell {
      switch self {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    }
  }

  func run() throws { Console.show(Assay.completionScript(for: shell.completed)) }
}
