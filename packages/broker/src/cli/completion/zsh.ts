// For zsh with its completion system (compinit): a file _puremq in a folder of $fpath.

import type { CommandWords, Offer, OptionWords, ProgramWords } from "./words.ts"

export function zshScript({ name, commands, plain }: ProgramWords): string {
  return `#compdef ${name}
# Completion of ${name} for zsh: ${name} completions zsh > "\${fpath[1]}/_${name}"

_${name}() {
  local command
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    local -a commands
    commands=(
${commands.map((command) => `      '${command.name}:${command.help}'`).join("\n")}
      'help:all commands'
    )
    _describe -t commands command commands
    return
  fi
  command=$words[2]
  # Options alone are those of ${plain}.
  if [[ $command == -* ]]; then command=${plain}; else shift words; (( CURRENT-- )); fi
  case $command in
${commands.map(caseOf).join("\n")}
  esac
}

if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`
}

function caseOf(command: CommandWords): string {
  const specs = [
    ...command.options.map(specOf),
    ...command.arguments.map((value, at) => `'${at + 1}:${messageOf(value)}:${action(value)}'`),
  ]
  return `    ${command.name})\n      _arguments -s ${specs.map((spec) => `\\\n        ${spec}`).join(" ")}\n      ;;`
}

function specOf({ name, short, value, optional, repeats, help }: OptionWords): string {
  const many = repeats ? "*" : ""
  const sign = value === undefined ? "" : optional ? "=-" : "="
  const behind = value === undefined ? "" : `:${optional ? ":" : ""}${messageOf(value)}:${action(value)}`
  const long = `'${many}--${name}${sign}[${help.replaceAll(":", "\\:")}]${behind}'`
  if (short === undefined) return long
  const other = `'${many}-${short}${value === undefined ? "" : "+"}[${help.replaceAll(":", "\\:")}]${behind}'`
  return `${long} ${other}`
}

function messageOf(value: Offer): string {
  return typeof value === "string" && value !== "anything" ? value : "value"
}

function action(value: Offer): string {
  if (value === "anything") return " "
  if (value === "file") return "_files"
  if (value === "folder") return "_files -/"
  // Without a space behind what goes on.
  if (value.every((word) => word.endsWith("="))) return `{compadd -S "" -- ${value.join(" ")}}`
  return `(${value.join(" ")})`
}
