// For bash 3.2 or newer, without the package bash-completion.

import type { CommandWords, Offer, OptionWords, ProgramWords } from "./words.ts"

export function bashScript({ name, commands, plain }: ProgramWords): string {
  const first = [...commands.map((command) => command.name), "help", "--help", "--version"].join(" ")
  return `# Completion of ${name} for bash: source <(${name} completions bash)

_${name}_words() { # what may come
  COMPREPLY=( $(compgen -W "$1" -- "$cur") )
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}

_${name}_files() { # -f for files, -d for folders
  local IFS=$'\\n'
  COMPREPLY=( $(compgen "$1" -- "$cur") )
  compopt -o filenames 2>/dev/null
}

_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} options= values= behind= at=0 i word
  COMPREPLY=()
  # Bash takes = for a word of its own.
  if [[ $cur == = ]]; then cur= behind='='; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]} behind='='; fi
  if (( COMP_CWORD == 1 )) && [[ $cur != -* ]]; then _${name}_words '${first}'; return; fi
  if [[ $command == -* ]]; then command=${plain}; i=1; else i=2; fi

  case $command in
${commands.map((command) => `    ${command.name})\n${indented(optionsOf(command))}\n      ;;`).join("\n")}
    *) return ;;
  esac
  if [[ $cur == -* ]]; then _${name}_words "$options"; return; fi

  # Which argument it is: options and their values are none.
  for (( ; i < COMP_CWORD; i++ )); do
    word=\${COMP_WORDS[i]}
    if [[ $word == = || " $values " == *" $word "* ]]; then (( i++ )); elif [[ $word != -* ]]; then (( at++ )); fi
  done
  case $command:$at in
${commands.flatMap((command) => argumentsOf(name, command)).join("\n")}
  esac
}

complete -F _${name} ${name}
`

  function optionsOf({ options }: CommandWords): string[] {
    const offered = options.map((option) => `--${option.name}`)
    const valued = options.filter(({ value, optional }) => value !== undefined && !optional)
    // Those that are answered alike stand together.
    const answers = new Map<string, string[]>()
    for (const option of options) {
      if (option.value === undefined) continue
      const action = actionOf(name, option, option.value)
      answers.set(action, [...(answers.get(action) ?? []), ...spellings(option)])
    }
    const cases = [...answers].map(([action, words]) => `  ${words.join("|")}) ${action} ;;`)
    return [
      `options='${offered.join(" ")}'`,
      `values='${valued.flatMap(spellings).join(" ")}'`,
      ...(cases.length === 0 ? [] : ["case $prev in", ...cases, "esac"]),
    ]
  }
}

function actionOf(name: string, { optional }: OptionWords, value: Offer): string {
  const offered = offer(name, value)
  const action = `${offered === "" ? "" : `${offered}; `}return`
  // It has one behind = alone.
  return optional ? `if [[ $behind == = ]]; then ${action}; fi` : action
}

function spellings({ name, short }: OptionWords): string[] {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]
}

function argumentsOf(name: string, command: CommandWords): string[] {
  return command.arguments.map((value, at) => `    ${command.name}:${at}) ${offer(name, value)} ;;`)
}

function offer(name: string, value: Offer): string {
  if (value === "anything") return ""
  if (value === "file") return `_${name}_files -f`
  if (value === "folder") return `_${name}_files -d`
  return `_${name}_words '${value.join(" ")}'`
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `      ${line}`).join("\n")
}
