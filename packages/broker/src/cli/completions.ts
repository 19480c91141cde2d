import { readArguments, UsageError } from "@puremq/tls13/command-line"
import { completionsCommand, program } from "./commands.ts"
import { bashScript } from "./completion/bash.ts"
import { fishScript } from "./completion/fish.ts"
import { wordsOf } from "./completion/words.ts"
import { zshScript } from "./completion/zsh.ts"

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/** Throws UsageError. */
export function completions(args: readonly string[], print: (line: string) => void): void {
  const [shell, extra] = readArguments(completionsCommand, args).positionals
  if (shell === undefined || extra !== undefined) throw new UsageError(`expected bash, zsh or fish; ${hint}`)
  if (shell !== "bash" && shell !== "zsh" && shell !== "fish")
    throw new UsageError(`there are completions for bash, zsh and fish, and none for ${shell}; ${hint}`)
  print(scripts[shell](wordsOf(program)).trimEnd())
}

const hint = 'see "puremq completions --help"'
