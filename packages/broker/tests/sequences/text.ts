// The files of test-vectors/mqtt: rows as text, and back. Their README says the format.

import { type Bytes, times, type Version } from "./bytes.ts"
import type { Row, Step } from "./row.ts"

/** So many of the same byte are written as one with their number. */
const manyAlike = 12
/** So many letters are written as letters. */
const leastLetters = 3

export function writeBytes(bytes: Bytes): string {
  const words: string[] = []
  for (let i = 0; i < bytes.length; ) {
    const alike = alikeFrom(bytes, i)
    if (alike >= manyAlike) {
      words.push(`${pair(bytes[i]!)}*${alike}`)
      i += alike
      continue
    }
    const letters = lettersFrom(bytes, i)
    if (letters >= leastLetters) {
      words.push(`"${String.fromCharCode(...bytes.slice(i, i + letters))}"`)
      i += letters
      continue
    }
    words.push(pair(bytes[i++]!))
  }
  return words.join(" ")
}

function alikeFrom(bytes: Bytes, start: number): number {
  let end = start
  while (end < bytes.length && bytes[end] === bytes[start]) end++
  return end - start
}

function lettersFrom(bytes: Bytes, start: number): number {
  let end = start
  while (end < bytes.length && /[A-Za-z0-9/+#$._ -]/.test(String.fromCharCode(bytes[end]!))) {
    if (alikeFrom(bytes, end) >= manyAlike) break
    end++
  }
  return end - start
}

function pair(byte: number): string {
  return byte.toString(16).padStart(2, "0")
}

function readBytes(text: string): Bytes {
  let bytes: number[] = []
  let rest = text.trim()
  while (rest !== "") {
    const word = /^(?:"([^"]*)"|([0-9a-f]{2})(?:\*([1-9][0-9]*))?)(?: +|$)/.exec(rest)
    if (word === null) throw new Error(`not bytes: ${rest}`)
    const [whole, letters, digits, count] = word
    if (letters !== undefined) for (const letter of letters) bytes.push(letter.charCodeAt(0))
    else if (count === undefined) bytes.push(Number.parseInt(digits!, 16))
    else bytes = bytes.concat(times(Number(count), Number.parseInt(digits!, 16)))
    rest = rest.slice(whole.length)
  }
  return bytes
}

export function writeRows(head: string, rows: readonly Row[]): string {
  const comment = head.split("\n").map((line) => `# ${line}`.trimEnd())
  return `${[comment.join("\n"), ...rows.map(writeRow)].join("\n\n")}\n`
}

function writeRow({ name, version, rule, note, broker, steps }: Row): string {
  const lines = [`[${version}] ${rule} ${name}`]
  if (note !== undefined) lines.push(`note: ${note}`)
  if (broker !== undefined) lines.push(`broker: ${broker}`)
  return [...lines, ...steps.map(writeStep)].join("\n")
}

function writeStep(step: Step): string {
  switch (step.does) {
    case "sends":
      return `${step.line} > ${writeBytes(step.bytes)}`
    case "gets":
      return `${step.line} < ${writeBytes(step.bytes)}`
    case "joins":
      return `${step.line} joins${step.version === undefined ? "" : ` ${step.version}`}`
    case "waits":
      return `wait ${step.seconds}`
    default:
      return `${step.line} ${step.does}`
  }
}

/** Throws Error that says which line is none. */
export function readRows(text: string): Row[] {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"))
  const blocks = lines.join("\n").split(/\n\n+/)
  return blocks.filter((block) => block.trim() !== "").map((block) => readRow(block.trim().split("\n")))
}

function readRow(lines: readonly string[]): Row {
  const head = /^\[([345])\] (\S+) (.+)$/.exec(lines[0] ?? "")
  if (head === null) throw new Error(`not the head of a row: ${lines[0]}`)
  const [, version, rule, name] = head
  let [note, broker]: (string | undefined)[] = []
  const steps: Step[] = []
  for (const line of lines.slice(1)) {
    if (line.startsWith("note: ")) note = line.slice(6)
    else if (line.startsWith("broker: ")) broker = line.slice(8)
    else steps.push(readStep(line))
  }
  return { name: name!, version: versionOf(version!), rule: rule!, note, broker, steps }
}

function readStep(text: string): Step {
  const wait = /^wait ([0-9]+)$/.exec(text)
  if (wait !== null) return { does: "waits", seconds: Number(wait[1]) }
  const bytes = /^([a-z][a-z0-9]*) ([<>]) (.+)$/.exec(text)
  if (bytes !== null) return { does: bytes[2] === ">" ? "sends" : "gets", line: bytes[1]!, bytes: readBytes(bytes[3]!) }
  const joins = /^([a-z][a-z0-9]*) joins(?: ([345]))?$/.exec(text)
  if (joins !== null) {
    const version = joins[2] === undefined ? undefined : versionOf(joins[2])
    return { does: "joins", line: joins[1]!, version }
  }
  const end = /^([a-z][a-z0-9]*) (opens|ends|cuts)$/.exec(text)
  if (end !== null) return { does: end[2] === "ends" ? "ends" : end[2] === "cuts" ? "cuts" : "opens", line: end[1]! }
  throw new Error(`not a step: ${text}`)
}

function versionOf(digit: string): Version {
  return digit === "3" ? 3 : digit === "4" ? 4 : 5
}
