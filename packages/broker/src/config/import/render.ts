// An import as a file of ours, in TOML, with comments for whoever goes on from there.

import type { Outcome, Remark, Setting, Settings, Source } from "./outcome.ts"
import { oneLine } from "./values.ts"

const width = 120

/** @param from the file, and what it is of, as a text */
export function rendered(outcome: Outcome, from: string): string {
  const { carried, changed, left } = outcome.counts
  const lines = [
    ...comment(`Made by "puremq import" of ${from}.`),
    ...comment(`Settings: ${carried} carried over, ${changed} with another meaning, ${left} not carried over.`),
  ]
  if (outcome.defaults.length > 0) {
    lines.push("#", ...comment("What is other here although that file says nothing of it:"))
    for (const each of outcome.defaults) lines.push(...comment(each, "- ", "  "))
  }
  const groups = new Map<string, Setting>(outcome.settings)
  const own = [...groups].filter(([path]) => !path.includes("."))
  if (own.length > 0) lines.push("", ...options(own))
  for (const name of new Set(
    [...groups.keys()].filter((path) => path.includes(".")).map((path) => path.split(".")[0] ?? ""),
  ))
    lines.push("", `[${name}]`, ...options(below(outcome.settings, name)))
  for (const { name, type, settings } of outcome.listeners) {
    lines.push("", `[listeners.${name}]`)
    if (name !== type) lines.push(`type = ${toml(type)}`)
    lines.push(...options([...settings]))
  }
  for (const settings of outcome.bridges) lines.push("", "[[bridges]]", ...options([...settings]))
  lines.push(...remarks("So here without a setting:", outcome.remarks, "holds"))
  lines.push(...remarks("Not carried over:", outcome.remarks, "left"))
  return `${lines.join("\n")}\n`
}

function below(settings: Settings, name: string): [string, Setting][] {
  return [...settings].flatMap(([path, setting]): [string, Setting][] =>
    path.startsWith(`${name}.`) ? [[path.slice(name.length + 1), setting]] : [],
  )
}

function options(settings: readonly (readonly [string, Setting])[]): string[] {
  return settings.flatMap(([path, { value, sources, remarks }]) => [
    ...remarks.flatMap((each) => comment(each)),
    `${path} = ${toml(value)}${sources.length === 0 ? "" : ` # ${[...new Set(sources.map(placeOf))].join(", ")}`}`,
  ])
}

/** As they stand in their files. */
function inOrder(all: readonly Remark[]): Remark[] {
  const files = [...new Set(all.map(({ source }) => source.file))]
  return [...all].sort((a, b) => {
    const [one, other] = [files.indexOf(a.source.file), files.indexOf(b.source.file)]
    return one - other || a.source.line - b.source.line
  })
}

/** Lines with one reason after the other have it once. */
function remarks(title: string, all: readonly Remark[], fate: Remark["fate"]): string[] {
  const own = inOrder(all.filter((each) => each.fate === fate))
  if (own.length === 0) return []
  const lines = ["", ...comment(title)]
  own.forEach(({ source, why }, i) => {
    lines.push(`# ${placeOf(source)}: ${oneLine(source.text)}`)
    if (own[i + 1]?.why !== why) lines.push(...comment(why, "    ", "    "))
  })
  return lines
}

export function placeOf({ file, line }: Source): string {
  return oneLine(`${file}:${line}`)
}

function comment(text: string, first = "", indent = ""): string[] {
  const lines: string[] = []
  let line = first
  for (const word of oneLine(text).split(" ")) {
    if (line.trim() !== "" && line !== first && line.length + word.length + 3 > width) {
      lines.push(line)
      line = indent
    }
    line += line.endsWith(" ") || line === "" ? word : ` ${word}`
  }
  return [...lines, line].map((each) => `# ${each}`)
}

function toml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toml).join(", ")}]`
  if (typeof value === "string") return JSON.stringify(value).replaceAll("\u007f", "\\u007f")
  if (typeof value === "object" && value !== null)
    return `{ ${Object.entries(value)
      .map(([name, each]) => `${name} = ${toml(each)}`)
      .join(", ")} }`
  return String(value)
}
