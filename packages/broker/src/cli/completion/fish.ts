// For fish 3 or newer.

import type { CommandWords, Offer, OptionWords, ProgramWords } from "./words.ts"

export function fishScript({ name, commands, plain }: ProgramWords): string {
  return `# Completion of ${name} for fish: ${name} completions fish > ~/.config/fish/completions/${name}.fish

function __${name}_command # the word behind ${name}; options alone are those of ${plain}
    set -l words (commandline -opc)
    if test (count $words) -lt 2
        echo ""
    else if string match -q -- '-*' $words[2]
        echo ${plain}
    else
        echo $words[2]
    end
end

function __${name}_is # whether it is that command
    set -l command (__${name}_command)
    test "$command" = $argv[1]; or test -z "$command" -a $argv[1] = ${plain}
end

function __${name}_has # whether one of these words is there
    for word in (commandline -opc)
        contains -- $word $argv; and return 0
    end
    return 1
end

complete -c ${name} -f
${commands.map((command) => lineOf(name, "test -z (__puremq_command)", [`-a ${command.name}`, `-d '${command.help}'`])).join("\n")}
${lineOf(name, "test -z (__puremq_command)", ["-a help", "-d 'all commands'"])}
${commands.map((command) => linesOf(name, command).join("\n")).join("\n")}
`.replaceAll("test -z (__puremq_command)", `test -z (__${name}_command)`)
}

function lineOf(name: string, condition: string, rest: readonly string[]): string {
  return `complete -c ${name} -n '${condition}' ${rest.join(" ")}`
}

function linesOf(name: string, command: CommandWords): string[] {
  const condition = `__${name}_is ${command.name}`
  const options = command.options.map((option) => lineOf(name, condition, optionParts(option)))
  const [first, second] = command.arguments
  if (first === undefined) return options
  const words = typeof first === "string" ? undefined : first.join(" ")
  const before = words === undefined ? condition : `${condition}; and not __${name}_has ${words}`
  const lines = [...options, lineOf(name, before, argumentParts(first))]
  if (second === undefined || words === undefined) return lines
  return [...lines, lineOf(name, `${condition}; and __${name}_has ${words}`, argumentParts(second))]
}

function optionParts({ name, short, value, optional, help }: OptionWords): string[] {
  const spellings = [`-l ${name}`, ...(short === undefined ? [] : [`-s ${short}`])]
  const described = `-d '${help}'`
  if (value === undefined) return [...spellings, described]
  return [...spellings, ...(optional ? [] : [value === "file" ? "-r -F" : "-x"]), ...offered(value), described]
}

function argumentParts(value: Offer): string[] {
  return value === "file" ? ["-F"] : offered(value)
}

function offered(value: Offer): string[] {
  if (value === "anything" || value === "file") return []
  if (value === "folder") return ["-a '(__fish_complete_directories)'"]
  return [`-a '${value.join(" ")}'`]
}
