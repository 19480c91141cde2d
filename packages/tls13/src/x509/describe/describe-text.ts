// A chain the way a person reads it: the verdict first, then the path as a tree, then each certificate.

import type { Certificate } from "../certificate/certificate.ts"
import { shownText } from "../names/distinguished-name.ts"
import {
  type CertificateDescription,
  type ChainDescription,
  type DescribeOptions,
  describeChainAsData,
  type UnreadableDescription,
} from "./describe.ts"

type Style = "bold" | "dim" | "red" | "green" | "yellow"
type Paint = (style: Style, text: string) => string

const codes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 }

interface Page {
  readonly paint: Paint
  readonly width: number
}

/** A chain as text for a terminal. */
export function describeChain(chain: readonly (Certificate | Uint8Array)[], options: DescribeOptions): string {
  const data = describeChainAsData(chain, options)
  const page: Page = {
    paint: options.colour ? (style, text) => `\x1b[${codes[style]}m${text}\x1b[0m` : (_, text) => text,
    width: Math.max(60, options.width ?? 100),
  }
  const lines = [
    ...verdictLines(data, page),
    ...(data.remarks ?? []).flatMap((each) => wrapped(each, "  ", page).map((line) => page.paint("yellow", line))),
    ...(data.verdict || data.remarks ? [""] : []),
    ...data.chain.flatMap((each, index) => [...certificateLines(each, index, data.verdict, page), ""]),
  ]
  return lines.join("\n")
}

function verdictLines({ verdict, purpose, chain }: ChainDescription, page: Page): string[] {
  const { paint } = page
  if (verdict === undefined) return []
  const first = chain[0]
  const who = first && !("error" in first) ? titleOf(first) : "the certificate"
  const what = purpose === undefined ? "" : ` ${purpose}`
  if (!verdict.accepted) {
    return [
      `${paint("red", "\u2718")} ${paint("bold", who)} is ${paint("red", "not trusted")}${what}: ${verdict.reason}`,
      ...wrapped(verdict.message, "  ", page),
      paint("dim", `  TLS alert: ${verdict.alert}`),
    ]
  }
  const path = [...verdict.path].reverse()
  const branch = (depth: number): string => (depth === 0 ? "" : `${"   ".repeat(depth - 1)}\u2514\u2500 `)
  const width = Math.max(...path.map(({ subject }, depth) => branch(depth).length + subject.length))
  return [
    `${paint("green", "\u2714")} ${paint("bold", who)} is ${paint("green", "trusted")}${what}`,
    ...path.map(({ subject, remaining }, depth) => {
      const name = `${branch(depth)}${subject}`
      const how = depth === 0 ? "trusted, " : ""
      return `  ${name.padEnd(width)}  ${paint("dim", how)}${paint(styleOf(remaining), remaining)}`
    }),
  ]
}

function certificateLines(
  described: CertificateDescription | UnreadableDescription,
  index: number,
  verdict: ChainDescription["verdict"],
  page: Page,
): string[] {
  const { paint } = page
  const number = paint("dim", `[${index}]`)
  if ("error" in described)
    return [
      `${number} ${described.subject ? `${paint("bold", described.subject)} ` : ""}${paint("red", "cannot be read")}`,
      ...row("wrong", described.error, "red", page),
      ...row("issued by", described.issuer, undefined, page),
      ...row("where", described.place, undefined, page),
    ]
  const { remaining } = described
  const span = `${described.notBefore.slice(0, 10)} to ${described.notAfter.slice(0, 10)}`
  const own = verdict && !verdict.accepted && verdict.index === index ? reasonOf(verdict.message) : undefined
  const problems =
    own === undefined ? described.problems : [own, ...described.problems.filter((each) => !isAbout(own, each))]
  return [
    `${number} ${paint("bold", described.name)}`,
    ...problems.flatMap((each) => row("wrong", each, "red", page)),
    ...row("names", listText(described.names), undefined, page),
    ...row("issued by", described.selfIssued ? "itself" : described.issuer, undefined, page),
    ...row("valid", `${span}, ${paint(styleOf(remaining), remaining)}`, undefined, page),
    ...row("key", `${described.key}, signed with ${described.signature}`, undefined, page),
    ...row("uses", listText([...described.keyUsage, ...described.extendedKeyUsage]), undefined, page),
    ...row("authority", authorityText(described), undefined, page),
    ...row("permitted", listText(described.permitted ?? []), undefined, page),
    ...row("excluded", listText(described.excluded ?? []), undefined, page),
    ...row("policies", listText(described.policies ?? []), undefined, page),
    ...row("revocation", revocationText(described), undefined, page),
    ...row(
      "delegation",
      described.delegationUsage ? "its key may sign delegated credentials" : undefined,
      undefined,
      page,
    ),
    ...row("serial", described.serialNumber, "dim", page),
    ...row("SHA-256", described.fingerprint, "dim", page),
    ...row("key pin", described.pin, "dim", page),
    ...described.notes.flatMap((each) => row("note", each, "yellow", page)),
  ]
}

/** What people call a certificate: its common name or first alternative name. */
function titleOf({ name, subject, names }: CertificateDescription): string {
  const common = /(?:^|,)CN=((?:[^,\\]|\\.)*)/.exec(subject)?.[1]?.trim()
  return shownText(common || (names[0]?.replace(/^\w+:/, "") ?? name), 80)
}

/** The sentence without whose certificate it is about, which stands above it. */
function reasonOf(message: string): string {
  return message.replace(/^the (?:issuing )?certificate .*? is refused: /s, "")
}

/** `not valid before ...` and the like is the same as what the verdict says at length. */
function isAbout(verdict: string, problem: string): boolean {
  const words = problem.match(/\d{4}-\d\d-\d\d|\d+(?:\.\d+)+|\d+ bits/)?.[0]
  return words !== undefined && verdict.includes(words)
}

const labelWidth = 12
const indent = 4

function row(label: string, value: string | undefined, style: Style | undefined, page: Page): string[] {
  if (value === undefined || value === "") return []
  const paint: Paint = (_, text) => (style === undefined ? text : page.paint(style, text))
  const space = " ".repeat(indent + labelWidth)
  const [first = "", ...others] = wrapped(value, space, page)
  const head = `${" ".repeat(indent)}${page.paint("dim", label.padEnd(labelWidth))}`
  return [
    `${head}${paint("dim", first.slice(space.length))}`,
    ...others.map((line) => `${space}${paint("dim", line.slice(space.length))}`),
  ]
}

/** Lines of at most the page's width, broken at spaces. Painted words count as what they show. */
function wrapped(text: string, before: string, { width }: Page): string[] {
  const lines: string[] = []
  let line = ""
  const shown = (part: string): number => part.replaceAll(paintCodes, "").length
  for (const word of text.split(" ")) {
    if (line !== "" && before.length + shown(line) + 1 + shown(word) > width) {
      lines.push(before + line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, before + line]
}

const escapeCharacter = "\x1b"
const paintCodes = new RegExp(`${escapeCharacter}\\[\\d+m`, "g")

function styleOf(remaining: string): Style {
  if (!remaining.endsWith(" left")) return "red"
  const days = /^(\d+) days/.exec(remaining)?.[1]
  return days === undefined || Number(days) < 15 ? "yellow" : "green"
}

function authorityText({ authority, pathLength }: CertificateDescription): string | undefined {
  if (!authority) return undefined
  if (pathLength === undefined) return "yes, any number of intermediates below"
  if (pathLength === 0) return "yes, no intermediates below"
  return `yes, at most ${pathLength} ${pathLength === 1 ? "intermediate" : "intermediates"} below`
}

function revocationText({ ocsp = [], crl = [], mustStaple }: CertificateDescription): string | undefined {
  const sources = [...ocsp.map((uri) => uri.replace(/^URI:/, "OCSP ")), ...crl.map((uri) => `CRL ${uri}`)]
  return listText(mustStaple ? ["must-staple: an OCSP response has to come with it", ...sources] : sources)
}

/** The first of a long list, and how many more. */
function listText(values: readonly string[]): string | undefined {
  if (values.length === 0) return undefined
  const shown = values.slice(0, 20).join(", ")
  return values.length > 20 ? `${shown} and ${values.length - 20} more` : shown
}
